# The commands of the README. Everything is built with one profile (Cargo.toml says why).
.PHONY: demo demo-failing trial demo-kubernetes demo-kubernetes-down test test-kubernetes lint packages golden bench build clean

export PATH := $(CURDIR)/target/debug:$(PATH)

build:
	cargo build --workspace --locked

# The main job: a real system, 1000 users, five faults, a verdict. Succeeds only on pass.
demo: build
	deploy/lab/demo.sh trial.yaml slos.yaml pass

# The same on a system that loses acknowledged writes. Succeeds only when the verdict is that very fail.
demo-failing: build
	deploy/lab/demo.sh trial-losing.yaml slos-losing.yaml data-loss

# The full length: 1000 users for 30 minutes.
trial: build
	deploy/lab/demo.sh trial.yaml slos.yaml pass --duration 30m

# The main job on the cluster that KUBECONFIG names; deploy/kubernetes/README.md says how its nodes get the images.
# Fewer users: USERS=500, where the nodes do not bear 1000; too few, and the autoscaler needs no ten replicas.
demo-kubernetes:
	deploy/kubernetes/demo.sh up $(if $(USERS),--users $(USERS))

# Leaves that cluster as it was.
demo-kubernetes-down:
	deploy/kubernetes/demo.sh down

# End to end on the cluster that KUBECONFIG names, which it breaks things on. A machine dies only where
# ORDEAL_NODE_POWER names a command that is given `NODE stop` and `NODE start`.
test-kubernetes:
	cargo test --workspace --test on_kubernetes --locked -- --ignored --test-threads 1

test: lint packages
	cargo test --workspace --locked

lint:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# What tests and benches need from Debian beside what the lab is made of; missing packages are installed.
packages:
	cargo build --package lab --locked
	target/debug/lab install nginx-light

# Writes anew, after a wanted change: the verifier's report, its schema and the rules of objectives that are shipped;
# exporter/metrics.prom, of the metrics or of the lab's trial; the roles of deploy/kubernetes/, of the trials there or of
# what they need; and the dashboards.
golden:
	BLESS=1 cargo test -p verifier --test golden --test rules --locked
	UPDATE_GOLDEN=1 cargo test -p exporter --test exposition --test manifests --locked
	BLESS=1 cargo test -p dashboards --test golden --locked

bench: packages
	cargo bench --workspace --locked

clean:
	cargo clean
