.DEFAULT_GOAL := help
.PHONY: help setup check test test-slow lint mutate audit policy demo run simulate dialects dialects-suite campaign \
	throttle bulk bench connector openapi examples lists live screenshots package package-test release \
	lock clean newcomer
# More words for the command of a target: make test ARGS="-k webhook"
ARGS ?=
# How many answers of Graph `make dialects` draws, and the first seed.
ANSWERS ?= 20000 from 0
python := .venv/bin/python
# Tests start hundreds of processes, and none should compile what another has compiled.
export PYTHONDONTWRITEBYTECODE :=
# Tests that share a stack, and those of a file, run in one worker (tests/conftest.py).
pytest := $(python) -m pytest --dist=loadgroup --no-loadscope-reorder
compile := .venv/bin/uv pip compile --quiet --python-version 3.13 --universal --generate-hashes \
	--custom-compile-command "make lock" $(ARGS)
# The extra `app` alone: compiled with the project it would bring the command's dependencies too.
app := import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	print(*project['optional-dependencies']['app'], sep='\n')

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv and install everything; at once when nothing changed
	@infra/local/setup.sh

check: lint ## The inner loop, within a minute: linters, tests that need no stack, 50 schedules
	$(pytest) --numprocesses=3 -m "not slow and not stack" tests/unit tests/contract \
		tests/simulation/test_schedules.py::test_every_promise_holds_under_all_schedules $(ARGS)

test: setup ## Run every test but the slow ones
	$(pytest) --numprocesses=4 -m "not slow" $(ARGS)

test-slow: setup ## Run a quarter of the slow tests, which the commit picks; ARGS=--all for all
	$(pytest) --numprocesses=3 -m slow --quarter $(ARGS)

mutate: setup ## Break the product in each way that tests must notice; ARGS="-k pace" for some
	$(pytest) --numprocesses=2 --verbose -m slow tests/mutations $(ARGS)

lint: setup ## Linter, formatter and type checker
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy

audit: setup ## Ask about holes in the dependencies, look for secrets in the files
	@$(python) -m infra.audit $(ARGS)

policy: setup ## Hear checkov on the deployment, the parsers of az on commands, of Kusto on queries
	.venv/bin/uv venv --quiet --allow-existing --python $(python) .local/policy
	.venv/bin/uv pip sync --quiet --require-hashes --python .local/policy requirements-policy.txt
	$(python) -m tests.infra.templates .local/templates
	.local/policy/bin/checkov --config-file infra/checkov.yaml --directory .local/templates $(ARGS)
	.venv/bin/uv venv --quiet --allow-existing --python $(python) .local/az
	.venv/bin/uv pip sync --quiet --require-hashes --python .local/az requirements-az.txt
	$(python) -m tests.infra.az | AZURE_CONFIG_DIR=.local/az-config AZURE_CORE_COLLECT_TELEMETRY=false \
		.local/az/bin/python -W ignore tests/infra/az/parse.py
	npm ci --prefix tests/infra/kusto --loglevel=error
	node tests/infra/kusto/check.js infra/queries/*.kql

demo: setup ## Onboard some partners, on this machine, and show how they fare
	@$(python) -m infra.local.demo $(ARGS)

run: setup ## Keep the local stack up, and say where it is
	@$(python) -m infra.local run $(ARGS)

simulate: setup ## Run the core through storms, 100,000 simulated schedules
	@$(python) -m tests.simulation --schedules 100000 $(ARGS)

dialects: setup ## Let Graph answer 20,000 onboardings in every way; ANSWERS="1 from 4711"
	CONNORG_ANSWERS="$(ANSWERS)" $(pytest) --numprocesses=2 -m "not slow" \
		tests/contract/test_answers.py $(ARGS)

dialects-suite: setup ## Run the end-to-end tests in each way that Graph's lists may be
	@$(python) -m tests.dialects $(ARGS)

campaign: setup ## Kill real processes while 300 partners come in and Graph fails
	@$(python) -m tests.campaign $(ARGS)

throttle: setup ## Measure how well a Graph that throttles is used
	@$(python) -m tests.campaign.throttle $(ARGS)

bulk: setup ## Measure a batch of 2,500 rows; ARGS="--kills 3" kills the functions meanwhile
	@$(python) -m tests.campaign.bulk $(ARGS)

bench: setup ## Measure connorg beside the least that others do; ARGS=--quick in a minute
	@$(python) -m tests.benchmarks $(ARGS)

connector: setup ## Write the custom connector for Logic Apps again
	$(python) -m infra.connector > infra/logic-apps/connector.json

openapi: setup ## Write docs/openapi.json again; ARGS="OLD.json NEW.json" says what changed for callers
	$(python) -m infra.openapi $(ARGS) $(if $(ARGS),,> docs/openapi.json)

examples: setup ## Record the examples of the API's description again, from the running app
	RECORD_EXAMPLES=1 $(pytest) tests/end_to_end/test_examples.py

lists: setup ## Write the lists of domains that no partner owns again
	$(python) -m infra.lists > connorg/core/policy/lists.py

live: setup ## Run the live suite in the tenant that CONNORG_LIVE names; ARGS=--clean tidies up
	@$(python) -m tests.live $(ARGS)

screenshots: setup ## Take the pictures of README and docs anew; ARGS=DIR writes them elsewhere
	@$(python) -m tests.console.screenshots $(ARGS)

newcomer: setup ## Do what README says in a fresh clone, with a clock, at 80 and 200 columns
	@$(python) -m tests.newcomer

package: setup ## Build the zip to deploy; ARGS=--compare also measures the obvious function
	@$(python) -m infra.package $(ARGS)

package-test: setup ## Run the end-to-end tests on the package, where nothing else is installed
	@$(python) -m infra.package
	CONNORG_TESTED_APP=$(CURDIR)/.local/package/app $(pytest) \
		--numprocesses=3 tests/end_to_end $(ARGS)

release: package ## Build what a release holds: the package, a wheel of the command, an SBOM, checksums
	$(python) -m infra.release

lock: setup ## Pin what pyproject.toml asks for anew; ARGS=--upgrade for the newest of all
	$(python) -c "$(app)" | $(compile) - --output-file requirements.txt
	$(compile) pyproject.toml --extra app --group dev --constraint requirements.txt \
		--output-file requirements-dev.txt
	$(compile) --group policy --output-file requirements-policy.txt
	$(compile) --group az --output-file requirements-az.txt
	$(compile) --group node --output-file requirements-node.txt
	$(compile) --group clients --output-file requirements-clients.txt
	cd infra/local/azurite && npm install --package-lock-only --loglevel=error
	cd infra/console && npm install --package-lock-only --loglevel=error
	cd tests/infra/kusto && npm install --package-lock-only --loglevel=error
	cd tests/clients && npm install --package-lock-only --loglevel=error

clean: ## Remove everything that the other targets made
	rm -rf .venv .local connorg/functions/console/vendor tests/clients/node_modules tests/clients/made
	rm -rf infra/local/azurite/node_modules infra/console/node_modules tests/infra/kusto/node_modules
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
