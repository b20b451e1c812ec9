"""The publishing house: executes the notebooks, and makes the site of them.

``make.py`` sets up the environment and runs a target in it; ``build.py`` is the command line of everything else:
``keys`` says what must be executed again, ``execute`` and ``worker`` do it, ``scan`` looks for hidden errors,
``vendor`` fetches what pages load, ``stage`` lays out the sources of the site, ``publish`` builds it.
"""
