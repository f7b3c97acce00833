"""Every reader of something from outside, tried with what nobody would send in good faith."""
