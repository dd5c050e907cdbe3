"""Does joint MRI reconstruction and super-resolution beat doing them in sequence? A benchmark.

The door for scripts, notebooks and plugins: everything that they need is a name of this module, loaded when it is first
used. What there is stands in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
