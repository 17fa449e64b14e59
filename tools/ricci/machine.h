// What one core of this machine can do at most, measured: the limits a benchmark is held against.
#pragma once

namespace ricci::driver {

struct MachineLimits {
  double flops;  // double-precision operations a second, from fused multiply-adds in registers
  double bytes;  // bytes a second read from main memory
};

// Takes about 0.1 s.
MachineLimits measure_machine();

}  // namespace ricci::driver
