# Each target sets up all it needs; nothing has to be done by hand before.
PYTHON_BIN := .venv/bin/python

.PHONY: run test access-matrix soak lint bench screenshots

run: ## serve http://127.0.0.1:8000/admin/ with worker and beat (PORT=8001, ARGS=--no-demo)
	@scripts/install run
	@$(PYTHON_BIN) manage.py run $(ARGS)

test: ## run every test, browser tests included (ARGS="-k ledger")
	@scripts/install develop
	@CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && $(PYTHON_BIN) -m pytest -n logical --maxprocesses 4 --dist worksteal $(ARGS)

access-matrix: ## who reaches which address, written anew into tests/access/matrix.txt
	@scripts/install develop
	@REWRITE_ACCESS_MATRIX=1 $(PYTHON_BIN) -m pytest -q -k every_address tests/access

soak: ## the ledger against its model for 20,000 steps, and a minute of writers beside readers, files of 1 GB (LEDGER_MODEL_SEED=7)
	@scripts/install develop
	@seed="$${LEDGER_MODEL_SEED:-$$(date +%s)}" && echo "LEDGER_MODEL_SEED=$$seed" && \
		LEDGER_MODEL_SEED="$$seed" LEDGER_MODEL_STEPS="$${LEDGER_MODEL_STEPS:-20000}" LEDGER_SOAK_SECONDS=60 \
		IMPORT_SOAK_MEGABYTES=1000 \
		$(PYTHON_BIN) -m pytest credits/tests/model credits/tests/faults/test_parallel_spending.py imports/tests/test_faults.py $(ARGS)

lint: ## check style, types, layers, templates, migrations and pinned packages
	@scripts/install develop
	@scripts/lint

bench: ## measure against the goals, into benchmarks/results.json and docs/benchmarks.md (ARGS=--quick)
	@scripts/install develop
	@$(PYTHON_BIN) -m benchmarks $(ARGS)

screenshots: ## pictures of the pages, light, dark and phone, into var/screenshots and docs/images
	@scripts/install develop
	@CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && $(PYTHON_BIN) -m tests.e2e.screenshots
