"""What stands in the packaged program for Qt's OpenGL: PyInstaller has it run before all else.

pyqtgraph imports it and makes a class of its own of one of its widgets; nothing here is drawn by
it, and its bindings take 9 MB.
"""

import sys
from types import ModuleType

for _name in ("QtOpenGL", "QtOpenGLWidgets"):
    sys.modules[f"PySide6.{_name}"] = ModuleType(f"PySide6.{_name}")
sys.modules["PySide6.QtOpenGLWidgets"].QOpenGLWidget = type("QOpenGLWidget", (), {})
