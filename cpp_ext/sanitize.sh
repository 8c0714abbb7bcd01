#!/bin/sh
# Build the native extension with a sanitizer and run its tests:
#     sh cpp_ext/sanitize.sh address,undefined
#     sh cpp_ext/sanitize.sh thread -k long_file
# Further arguments go to pytest: --hypothesis-profile=many tries 20,000 examples per property, not
# 100. CXX and PYTHON name the tools; the compiler is GCC, whose runtimes can be preloaded.
set -e
root=$(cd "$(dirname "$0")/.." && pwd)
sanitizers=$1
shift
build=$root/cpp_ext/build/sanitize-$sanitizers
python=${PYTHON:-python}
compiler=${CXX:-g++}
include=$($python -c 'import sysconfig; print(sysconfig.get_path("include"))')
mkdir -p "$build/specialize_native"
cp "$root/cpp_ext/specialize_native/__init__.py" "$build/specialize_native/"
$compiler -std=c++20 -O1 -g -Wall -Wextra -Wshadow -fPIC -shared -fno-omit-frame-pointer \
	-fsanitize="$sanitizers" -I"$root/cpp_ext/include" -I"$include" \
	"$root"/cpp_ext/src/core.cpp "$root"/cpp_ext/src/*_module.cpp \
	-o "$build/specialize_native/_core.abi3.so"
case $sanitizers in
thread) runtime=$($compiler -print-file-name=libtsan.so) ;;
*) runtime=$($compiler -print-file-name=libasan.so) ;;
esac
cd "$root"
LD_PRELOAD="$runtime $($compiler -print-file-name=libstdc++.so)" PYTHONPATH=$build:$root SPECIALIZE_NATIVE=1 ASAN_OPTIONS=detect_leaks=0 \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
	$python -m pytest -p no:cacheprovider "$root/tests/native/test_equals_python.py" "$root/tests/native/test_trees.py" "$@"
