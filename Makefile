# Each target sets up all it needs; nothing has to be done by hand before.
PYTHON_BIN := .venv/bin/python

.PHONY: run test lint bench screenshots

run: ## serve http://127.0.0.1:8000/admin/ with worker and beat (PORT=8001, ARGS=--no-demo)
	@scripts/install run
	@$(PYTHON_BIN) manage.py run $(ARGS)

test: ## run every test, browser tests included (ARGS="-k ledger")
	@scripts/install develop
	@CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && $(PYTHON_BIN) -m pytest -n logical --maxprocesses 4 $(ARGS)

lint: ## check style, types, layers, templates, migrations and pinned packages
	@scripts/install develop
	@scripts/lint

bench: ## measure against the goals, into benchmarks/results.json and docs/benchmarks.md (ARGS=--quick)
	@scripts/install develop
	@$(PYTHON_BIN) -m benchmarks $(ARGS)

screenshots: ## pictures of the pages, light, dark and phone, into var/screenshots and docs/images
	@scripts/install develop
	@CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && $(PYTHON_BIN) -m tests.e2e.screenshots
