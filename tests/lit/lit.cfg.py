"""Each file under tests/lit is one claim that a reader can check by hand; RUN lines say how it is tested.

%ricci and %ricci-opt are the programs just built; FileCheck, not and split-file are those of the LLVM that was found.
"""
import os

import lit.formats

config.name = "ricci"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".ricci", ".test", ".ir"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.binary_dir, "lit")

config.environment["PATH"] = os.pathsep.join([config.llvm_bin, os.environ["PATH"]])
config.environment["NO_COLOR"] = "1"
config.environment["LC_ALL"] = "C.UTF-8"
config.environment["XDG_CACHE_HOME"] = os.path.join(config.binary_dir, "lit", "cache")

programs = os.path.join(config.binary_dir, "bin")
config.substitutions += [
    ("%ricci-opt", os.path.join(programs, "ricci-opt")),
    ("%ricci", os.path.join(programs, "ricci")),
    ("%examples", os.path.join(config.source_dir, "examples")),
    ("%include", os.path.join(config.source_dir, "include")),
    ("%bin", programs),
    ("%runtime", config.link_runtime),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
    ("%clang", os.path.join(config.llvm_bin, "clang++")),
]
