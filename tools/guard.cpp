// Signal handlers here only call what POSIX lists as safe in them: write, open, unlink, _exit.
#include "tools/guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "ir/interpret.h"
#include "tools/output.h"
#include "tools/tensor_file.h"

namespace ricci {
namespace {

std::string reproducer;  // the command line and the input, ready to be written
char reproducer_path[64];
char time_message[64];

void say(const char* text) noexcept { [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, text, std::strlen(text)); }

void report_bug(const char* what) noexcept {
  say("ricci: this is a bug in ricci: ");
  say(what);
  int file = ::open(reproducer_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0 && ::write(file, reproducer.data(), reproducer.size()) == ssize_t(reproducer.size())) {
    say("\nricci: what shows it was written to ");
    say(reproducer_path);
  }
  say("\n");
  if (file >= 0) ::close(file);
}

extern "C" void on_interrupt(int) {
  discard_partial_output();
  ::_exit(kInterrupted);
}

extern "C" void on_time(int) {
  discard_partial_output();
  say(time_message);
  ::_exit(kWrongInput);
}

extern "C" void on_crash(int signal) {
  discard_partial_output();
  report_bug(signal == SIGSEGV   ? "segmentation fault"
             : signal == SIGABRT ? "abort"
             : signal == SIGFPE  ? "arithmetic fault"
                                 : "illegal instruction");
  ::_exit(kOurBug);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;
  ::sigaction(signal, &action, nullptr);
}

int refuse(const char* what, int code) {
  std::fputs(fmt::format("ricci: error: {}\n", what).c_str(), stderr);
  return code;
}

int translate_exceptions(const std::function<int()>& work) {
  try {
    return work();
  } catch (const InputError&) {
    return kWrongInput;
  } catch (const UsageError& e) {
    return refuse(e.what(), kWrongCommandLine);
  } catch (const FileError& e) {
    return refuse(e.what(), kWrongInput);
  } catch (const NotSupported& e) {
    return refuse(e.what(), kWrongInput);
  } catch (const TooLarge& e) {
    return refuse(e.what(), kWrongInput);
  } catch (const OutsideAxis& e) {
    return refuse(e.what(), kWrongInput);
  } catch (const std::bad_alloc&) {
    return refuse("there is not enough memory for this", kWrongInput);
  } catch (const std::exception& e) {
    report_bug(e.what());
    return kOurBug;
  }
}

struct Job {
  const std::function<int()>& work;
  int result = kOurBug;
};

extern "C" void* run_job(void* argument) {
  static thread_local char alternate[1 << 16];  // a stack overflow is reported on this stack
  stack_t stack = {};
  stack.ss_sp = alternate;
  stack.ss_size = sizeof alternate;
  ::sigaltstack(&stack, nullptr);
  auto* job = static_cast<Job*>(argument);
  job->result = translate_exceptions(job->work);
  return nullptr;
}

}  // namespace

void remember_input(std::string_view name, std::string_view text) {
  reproducer += fmt::format("# input {}\n", name);
  reproducer += text;
  reproducer += '\n';
}

void limit_time(double seconds) {
  if (seconds <= 0) return;
  std::snprintf(time_message, sizeof time_message, "ricci: error: not finished after %g s (--timeout)\n", seconds);
  handle(SIGALRM, on_time);
  itimerval timer = {};
  timer.it_value.tv_sec = time_t(seconds);
  timer.it_value.tv_usec = suseconds_t((seconds - double(timer.it_value.tv_sec)) * 1e6);
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

int run_guarded(const std::vector<std::string>& command_line, const std::function<int()>& work) {
  reproducer = "# command";
  for (const std::string& word : command_line) reproducer += fmt::format(" {:?}", word.c_str());
  reproducer += '\n';
  std::snprintf(reproducer_path, sizeof reproducer_path, "ricci-bug-%d.txt", int(::getpid()));
  handle(SIGINT, on_interrupt);
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) handle(signal, on_crash);
  ::signal(SIGPIPE, SIG_DFL);

  Job job{work};
  pthread_attr_t attributes;
  pthread_t thread;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, size_t(256) << 20);
  if (::pthread_create(&thread, &attributes, run_job, &job) != 0) throw std::runtime_error("no thread can be started");
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
  return job.result;
}

}  // namespace ricci
