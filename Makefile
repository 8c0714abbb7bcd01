# make demo: a virtual environment, everything installed, the main job on the bundled model.
# make test: the same environment, then the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A torch that the environment has already is respected; where there is no GPU, the CPU build is
# taken from PyTorch's own index if that can be reached.
TORCH ?= torch==2.13.0
CPU_INDEX ?= --index-url https://download.pytorch.org/whl/cpu --retries 0 --timeout 5

# 1 demands the native extension, 0 forbids it; empty: used where it could be built.
NATIVE ?=

.PHONY: demo test install clean

demo: install
	$(BIN)/specialize demo --out runs/demo

test: install
	$(BIN)/ruff check .
	SPECIALIZE_NATIVE=$(NATIVE) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

install: $(VENV)/.installed $(VENV)/.native

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null \
		|| { ! command -v nvidia-smi >/dev/null && $(BIN)/pip install -qq $(CPU_INDEX) "$(TORCH)"; } 2>/dev/null \
		|| $(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".[zst,parquet,test]"
	touch $@

$(VENV)/.native: $(VENV)/.installed $(wildcard cpp_ext/*/*.cpp cpp_ext/include/*/*.hpp) cpp_ext/setup.py
	$(BIN)/pip install --quiet --no-build-isolation --force-reinstall --no-deps ./cpp_ext \
		|| echo "no native extension: is there a C++20 compiler? Counting and parsing go on in Python" >&2
	touch $@

clean:
	rm -rf $(VENV) runs cpp_ext/build
