# How infra/test builds and runs the tests with a sanitizer. To be sourced, with $sanitize set to address or thread.

folder=$PWD/.build/$sanitize
mkdir -p "$folder"
building=(--scratch-path "$folder" --sanitize "$sanitize")
# There are no tests of XCTest, and it leaks.
running=("${building[@]}" --disable-xctest)
# Swift's own reads the lines of programs that it has built.
symbolizer=$(dirname "$(readlink -f "$(command -v clang)")")/llvm-symbolizer

case "$sanitize" in
address)
    # libpq, libuv, HDF5, the kernels of ggml and Swift's libraries are as they are: what they do with memory is seen where they
    # call the C library, and what they are given and give back is seen when Assay touches it.
    PKG_CONFIG_PATH=$("$here/llama" --sanitize)${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    export PKG_CONFIG_PATH
    # Where memory that is lost was allocated is to be known up to what Swift calls for a global: 60 calls.
    export ASAN_OPTIONS=external_symbolizer_path=$symbolizer:detect_stack_use_after_return=1:strict_string_checks=1:malloc_context_size=60
    export LSAN_OPTIONS=suppressions=$folder/leaks:print_suppressions=0
    cat >"$folder/leaks" <<'END'
# What globals keep: an enum has its case in the unused bits of its pointer, which is then none that anybody would recognize.
leak:once_slow
# Foundation does not free what it has read of a file when it can't read on (as of a file in /proc that fails).
leak:readBytesFromFile
# libhdf5 loses what it has read of an object whose header is damaged. An identifier that Assay forgot to close would stay in its
# tables, and be no leak to be found here.
leak:libhdf5
END
    ;;
thread)
    # A Mutex that somebody else holds is waited for, and given up to one who waits, inside Swift's library, which
    # ThreadSanitizer knows nothing of. These stand in front of it and say so.
    cat >"$folder/mutex.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

void __tsan_acquire(void *);
void __tsan_release(void *);
typedef SWIFT void lock_call(uint32_t owner, SELF void *mutex);
typedef SWIFT void unlock_call(SELF void *mutex);
SWIFT void lock_slow(uint32_t owner, SELF void *mutex) __asm__(LOCK);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK);

SWIFT void lock_slow(uint32_t owner, SELF void *mutex) {
    ((lock_call *)dlsym(RTLD_NEXT, LOCK))(owner, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
    __tsan_release(mutex);
    ((unlock_call *)dlsym(RTLD_NEXT, UNLOCK))(mutex);
}
END
    clang -O1 -fPIC -c "$folder/mutex.c" -o "$folder/mutex.o"
    building+=(-Xlinker "$folder/mutex.o")
    export TSAN_OPTIONS=external_symbolizer_path=$symbolizer:history_size=4
    ;;
esac

# run_sanitized: the tests that this sanitizer is for. Those of whole programs (EndToEndTests, FaultTests) are left out: they
# measure times that a program does not keep with a sanitizer, and the programs are made of the modules that are tested here.
run_sanitized() {
    if [ "$sanitize" = address ]; then
        # C or C++ is next to UVEventLoop, Postgres, HDF5, Llama, Statistics and NaturalLanguage (data in C, tested by LMEvalTests); Inference,
        # ResultStore and Sandbox work with memory and processes of theirs. Those that are left out call only Swift: what
        # is below them is tested here, and what templates and texts do for long would take many times that. A module that is
        # new is not left out.
        say "running the tests of the modules that compute, with AddressSanitizer"
        # One test is left out: it has std::regex go three million calls deep, each of which takes many times the stack here.
        run_tests 40 --filter "$computing" --skip '^(Jinja|PythonCompat)Tests\.' --skip aWordOfMegabytesIsNoProblem
        say "running the tests of the other modules next to C or C++"
        run_tests 40 --skip "$computing" --skip '^(Calendar|Console|Execution|JobQueue|Planning|PostgresQueue|Reporting)Tests\.' \
            --skip EndToEndTests --skip FaultTests
    else
        # All that has threads of its own, but for the engine's: most of what it does is in ggml, whose threads wait for each
        # other in code that ThreadSanitizer does not see.
        say "running the tests of event loop, connections, HDF5, queue and worker with ThreadSanitizer"
        run_tests 40 --filter '^(UVEventLoop|Threads|Postgres|HDF5|PostgresQueue|Execution)Tests\.'
    fi
}
