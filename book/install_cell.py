# Where the course's library is missing (Colab, say), fetch it; the torch that is installed stays as it is.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("lecture13") is None:
    source = "git+https://github.com/lecture13-course/lecture13"
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", source])
    subprocess.check_call([sys.executable, "-m", "lecture13", "doctor", "--install-missing"])
