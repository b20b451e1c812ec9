# Thin on purpose: book/make.py holds what the targets do; `python book/make.py --help` tells.
PYTHON ?= python3

.PHONY: book test lab clean
book test lab clean: ; @$(PYTHON) book/make.py $@
