# make demo: a virtual environment, everything installed, the main job on the bundled model.
# make test: the same environment, then the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A torch that the environment has already is respected; where there is no GPU, the CPU build is
# taken from PyTorch's own index if that can be reached.
TORCH ?= torch==2.13.0
CPU_INDEX ?= --index-url https://download.pytorch.org/whl/cpu --retries 0 --timeout 5

.PHONY: demo test lint install clean

demo: install
	$(BIN)/specialize demo --out runs/demo

test: install
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null \
		|| { ! command -v nvidia-smi >/dev/null && $(BIN)/pip install -qq $(CPU_INDEX) "$(TORCH)"; } 2>/dev/null \
		|| $(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".[zst,parquet,test]"
	touch $@

clean:
	rm -rf $(VENV) runs
