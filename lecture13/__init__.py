"""Models, attacks, defences and dissection tools for lecture 13 of "Theories of Deep Learning".

Every room is imported by its name, ``from lecture13 import attacks, data``, so that a command which needs none of
them (``python -m lecture13 doctor``) starts where half the dependencies are still missing.
"""

__version__ = "0.1.0"
