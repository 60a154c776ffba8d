/*
 * The health check of functions whose image has neither a shell nor curl: `probe PORT SECONDS [PATH]` ends with 0 when
 * 127.0.0.1:PORT accepts a connection and, with a path, answers a GET of it with a status of 200 to 399; else with 1.
 * After SECONDS the kernel's alarm ends it. Without any library, so that it runs in every image; build.sh compiles it.
 *
 * `probe PORT SECONDS PATH STAY EVERY` (PATH `-`: none): an engine's start of a check costs many times what the check does. So where the
 * container's first process is older than STAY seconds, one that succeeds stays for STAY seconds and looks again every EVERY ms. It ends with 0
 * then, and also as soon as a look fails: the next check, which the engine starts after its interval, is the first that counts as failed.
 */
typedef long word;

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, CLOSE = 3, NANOSLEEP = 35, SETITIMER = 38, SOCKET = 41, CONNECT = 42, SETSOCKOPT = 54, EXIT = 60, CLOCK_GETTIME = 228, OPENAT = 257 };
static word call5(word n, word a, word b, word c, word d, word e) {
  word result;
  register word r10 __asm__("r10") = d;
  register word r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
enum { OPENAT = 56, CLOSE = 57, READ = 63, WRITE = 64, EXIT = 93, NANOSLEEP = 101, SETITIMER = 103, CLOCK_GETTIME = 113, SOCKET = 198, CONNECT = 203, SETSOCKOPT = 208 };
static word call5(word n, word a, word b, word c, word d, word e) {
  register word x8 __asm__("x8") = n;
  register word x0 __asm__("x0") = a;
  register word x1 __asm__("x1") = b;
  register word x2 __asm__("x2") = c;
  register word x3 __asm__("x3") = d;
  register word x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n mov x0, sp\n bl start\n");
#else
#error "probe.c knows x86_64 and aarch64"
#endif

static word call(word n, word a, word b, word c) {
  return call5(n, a, b, c, 0, 0);
}

static void end(int code) {
  for (;;) call(EXIT, code, 0, 0);
}

static word number(const char *text) {
  word value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
  return value;
}

static word length(const char *text) {
  word n = 0;
  while (text[n]) n++;
  return n;
}

static int say(word fd, const char *text) {
  word left = length(text);
  while (left > 0) {
    word n = call(WRITE, fd, (word)text, left);
    if (n <= 0) return 0;
    text += n;
    left -= n;
  }
  return 1;
}

static int answers(word fd, const char *path) {
  if (!say(fd, "GET ") || !say(fd, path) ||
      !say(fd, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: swarm-provider-probe\r\nConnection: close\r\n\r\n"))
    return 0;
  /* "HTTP/1.1 200" */
  char head[12];
  word have = 0;
  while (have < 12) {
    word n = call(READ, fd, (word)(head + have), 12 - have);
    if (n <= 0) return 0;
    have += n;
  }
  return head[8] == ' ' && (head[9] == '2' || head[9] == '3');
}

/* No read or write takes longer than `seconds`. */
static int healthy(word port, word seconds, const char *path) {
  word fd = call(SOCKET, 2, 1, 0);
  if (fd < 0) return 0;
  word limit[2] = {seconds, 0};
  for (word which = 20; which <= 21; which++) call5(SETSOCKOPT, fd, 1, which, (word)limit, sizeof limit);
  unsigned char address[16] = {2, 0, (unsigned char)(port >> 8), (unsigned char)port, 127, 0, 0, 1};
  int ok = call(CONNECT, fd, (word)address, sizeof address) >= 0 && (!path || answers(fd, path));
  call(CLOSE, fd, 0, 0);
  return ok;
}

/* Seconds since the machine's start, also those in which it slept: what /proc counts from. */
static word now(void) {
  word time[2] = {0, 0};
  call(CLOCK_GETTIME, 7, (word)time, 0);
  return time[0];
}

/* Seconds that the container's first process has run; 0 where nothing says so. */
static word age(void) {
  char text[1024];
  word fd = call(OPENAT, -100, (word)"/proc/1/stat", 0);
  if (fd < 0) return 0;
  word size = call(READ, fd, (word)text, sizeof text - 1);
  call(CLOSE, fd, 0, 0);
  if (size <= 0) return 0;
  text[size] = 0;
  /* The 22nd field, in hundredths of a second. The second one, a name in parentheses, can hold anything. */
  char *at = text + size;
  while (at > text && *at != ')') at--;
  for (int spaces = 0; *at; at++)
    if (*at == ' ' && ++spaces == 20) return now() - number(at + 1) / 100;
  return 0;
}

/* `stack` is the process's first stack: the number of arguments, then pointers to them. */
__attribute__((used, noreturn)) void start(word *stack) {
  char **argv = (char **)(stack + 1);
  if (stack[0] < 3) end(1);
  word port = number(argv[1]);
  word seconds = number(argv[2]);
  const char *path = stack[0] > 3 && argv[3][0] != '-' ? argv[3] : 0;
  word timer[4] = {0, 0, seconds, 0};
  call(SETITIMER, 0, (word)timer, 0);
  if (!healthy(port, seconds, path)) end(1);
  if (stack[0] < 6) end(0);
  word stay = number(argv[4]);
  word every = number(argv[5]);
  if (age() < stay) end(0);
  /* From here on the limits of reads and writes count; the alarm only keeps an end in sight. */
  timer[2] = stay + 4 * seconds;
  call(SETITIMER, 0, (word)timer, 0);
  word pause[2] = {every / 1000, every % 1000 * 1000000};
  for (word until = now() + stay; now() < until;) {
    call(NANOSLEEP, (word)pause, 0, 0);
    if (!healthy(port, seconds, path)) break;
  }
  end(0);
  __builtin_unreachable();
}
