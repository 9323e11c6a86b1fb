// Runs a program with so much added to each of its syncs: slow_sync MICROSECONDS PROGRAM [ARGUMENT...]
//
// The system asks this process before each fsync and fdatasync (seccomp, user notification) and is told to go on when the time is over;
// syncs of several threads are delayed each on its own. No other call is touched: strace would stop the calls of every thread that has never
// synced, a quarter of a millisecond each, and measure that. The program is the child, which a signal has to be sent to; it is killed when
// this process is.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAITING_MAX = 4096 };

// Syncs that wait, in the order in which they are over: all wait as long.
struct waiting {
  uint64_t id[WAITING_MAX];
  int64_t until_ns[WAITING_MAX];
  unsigned first, count;
};

static void die(const char *what) {
  fprintf(stderr, "slow_sync: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// ---- the program's side ----

static int install_filter(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  int listener = (int) syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0) die("seccomp");
  return listener;
}

static void send_file(int to, int file) {
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {&byte, 1};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *head = CMSG_FIRSTHDR(&m);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &file, sizeof file);
  if (sendmsg(to, &m, 0) != 1) die("sendmsg");
}

static int receive_file(int from) {
  int file;
  char byte, control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {&byte, 1};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&m) == NULL) die("the program did not start");
  memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof file);
  return file;
}

static void run_program(int to, char **words) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int listener = install_filter();
  send_file(to, listener);
  close(listener);
  close(to);
  execvp(words[0], words);
  die(words[0]);
}

// ---- this process's side ----

// One that has come: its time begins. A thread that a signal took away meanwhile asks again.
static void take(int listener, struct waiting *w, int64_t delay_ns) {
  struct seccomp_notif n = {0};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) != 0) {
    if (errno == ENOENT || errno == EINTR) return;
    die("receive");
  }
  if (w->count == WAITING_MAX) die("too many syncs at once");
  unsigned at = (w->first + w->count++) % WAITING_MAX;
  w->id[at] = n.id;
  w->until_ns[at] = now_ns() + delay_ns;
}

static void let_go(int listener, struct waiting *w) {
  for (int64_t now = now_ns(); w->count > 0 && w->until_ns[w->first] <= now; w->count--) {
    struct seccomp_notif_resp r = {.id = w->id[w->first], .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r) != 0 && errno != ENOENT) die("answer");
    w->first = (w->first + 1) % WAITING_MAX;
  }
}

static void serve(int listener, int64_t delay_ns) {
  static struct waiting w;
  for (;;) {
    struct pollfd p = {listener, POLLIN, 0};
    int64_t left_ns = w.count == 0 ? 0 : w.until_ns[w.first] - now_ns();
    if (left_ns < 0) left_ns = 0;
    struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
    int ready = ppoll(&p, 1, w.count == 0 ? NULL : &left, NULL);
    if (ready < 0 && errno != EINTR) die("poll");
    if (ready > 0 && p.revents & POLLIN) take(listener, &w, delay_ns);
    else if (ready > 0) return; // nobody is left whom the filter holds for
    let_go(listener, &w);
  }
}

int main(int argc, char **argv) {
  int pair[2], status = 0;
  if (argc < 3) {
    fprintf(stderr, "usage: slow_sync MICROSECONDS PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) run_program(pair[1], argv + 2);
  close(pair[1]);
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  serve(receive_file(pair[0]), strtoll(argv[1], NULL, 10) * 1000);
  if (waitpid(child, &status, 0) != child) die("wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
