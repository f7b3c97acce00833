"""The menus and windows about the program itself: files, preferences, help."""
