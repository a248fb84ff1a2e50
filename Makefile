# sound-detector: each target is one line; scripts/setup.sh does what must be done first, once.
#   PYTHON=python3.12   the interpreter for .venv (3.11 or newer)

.PHONY: help run test test-all check bench fuzz soak clean install-service uninstall-service test-systemd deb test-deb test-arm64 image test-image
.NOTPARALLEL:
export PYTHON INPUT MODEL PURGE DESTDIR EXTRAS WEB

help: ## Say what each target does
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t 28

run: ## Listen to the microphone; or INPUT=clip.wav; or ARGS="--device 1"; WEB=1 with the web page
	@scripts/run.sh $(ARGS)

test: ## Run the quick tests; or all in TESTS=tests/audio; or ARGS="-x -k gate"
	@scripts/setup.sh test
	@scripts/test.sh $(if $(TESTS),named,quick) $(ARGS) $(TESTS)

test-all: ## Run every test: also real processes, training, conversion, systemd; ARGS= as above
	@scripts/setup.sh test
	@scripts/test.sh all $(ARGS)

check: ## Check format, lint, types and the order of imports
	@scripts/setup.sh dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/test_architecture.py

bench: ## Measure cost and latency beside the bare model; writes docs/benchmarks.md
	@scripts/setup.sh test
	@.venv/bin/python -m benchmarks.cost.run $(ARGS)

install-service: ## As root: install or upgrade the systemd service; WEB=1 with the web page, WEB=settings (docs/service.md)
	@scripts/install_service.sh

uninstall-service: ## As root: remove it; settings and models stay, unless PURGE=1
	@scripts/uninstall_service.sh

test-systemd: ## As root: boot a real systemd in a container and try the service in it
	@scripts/setup.sh test
	@SOUND_DETECTOR_TEST_SYSTEMD=required .venv/bin/python -m pytest -v $(ARGS) tests/systemd

deb: ## As root: build the Debian package of RELEASE=bookworm or trixie into dist/ (docs/packages.md)
	@scripts/setup.sh dev
	@.venv/bin/python -c 'import build' 2>&- || .venv/bin/pip install -q build
	@scripts/make_deb.sh $(RELEASE) $(ARCH)

test-deb: ## As root: install DEB=FILE in a fresh root of its release, run, upgrade, remove and purge it
	@scripts/setup.sh test
	@SOUND_DETECTOR_TEST_DEB="$(abspath $(DEB))" $(if $(filter %_arm64.deb,$(DEB)),scripts/arm64/emulated.sh) \
		.venv/bin/python -m pytest -v $(ARGS) tests/packages/test_deb.py tests/packages/test_deb_migration.py

image: ## Build the container image, or IMAGE=home-assistant-app, with podman or docker (docs/packages.md)
	@scripts/make_image.sh $(IMAGE)

test-image: ## Run that image in containers, without a network and read only
	@scripts/setup.sh test
	@SOUND_DETECTOR_TEST_IMAGE=sound-detector .venv/bin/python -m pytest -v $(ARGS) tests/packages/test_container_image.py

test-arm64: ## As root: run the program and its quick tests on arm64, by qemu-user (docs/development.md)
	@scripts/setup.sh test
	@scripts/test_arm64.sh $(ARGS)

fuzz: ## Feed 100 000 damaged inputs to all that a stranger controls; or ARGS="--seed 2"
	@scripts/setup.sh test
	@.venv/bin/python -c 'import atheris' 2>&- || .venv/bin/pip install -q --only-binary atheris -e '.[fuzz]' || true
	@.venv/bin/python -m benchmarks.fuzz.run $(ARGS)

soak: ## Play a day of sound at full speed: memory must not grow; or ARGS="--hours 2"
	@scripts/setup.sh test
	@.venv/bin/python -m benchmarks.endurance.soak $(ARGS)

clean: ## Remove .venv and everything else that was made here; the models stay
	rm -rf .venv build dist *.egg-info .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
