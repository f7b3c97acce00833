"""Empty modules in place of Qt's OpenGL; PyInstaller runs this file before the program.

pyqtgraph imports these modules and derives a class from one of their widgets, which the program
never creates. The real bindings take 9 MB.
"""

import sys
from types import ModuleType

for _name in ("QtOpenGL", "QtOpenGLWidgets"):
    sys.modules[f"PySide6.{_name}"] = ModuleType(f"PySide6.{_name}")
sys.modules["PySide6.QtOpenGLWidgets"].QOpenGLWidget = type("QOpenGLWidget", (), {})
