/*
 * The health check of functions whose image has neither a shell nor curl: `probe PORT SECONDS [PATH]` ends with 0 when
 * 127.0.0.1:PORT accepts a connection and, with a path, answers a GET of it with a status of 200 to 399; else with 1.
 * After SECONDS the kernel's alarm ends it. Without any library, so that it runs in every image; build.sh compiles it.
 */
typedef long word;

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, SOCKET = 41, CONNECT = 42, EXIT = 60, SETITIMER = 38 };
static word call(word n, word a, word b, word c) {
  word result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, SOCKET = 198, CONNECT = 203, EXIT = 93, SETITIMER = 103 };
static word call(word n, word a, word b, word c) {
  register word x8 __asm__("x8") = n;
  register word x0 __asm__("x0") = a;
  register word x1 __asm__("x1") = b;
  register word x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n mov x0, sp\n bl start\n");
#else
#error "probe.c knows x86_64 and aarch64"
#endif

static void end(int code) {
  for (;;) call(EXIT, code, 0, 0);
}

static unsigned number(const char *text) {
  unsigned value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (unsigned)(*text++ - '0');
  return value;
}

static word length(const char *text) {
  word n = 0;
  while (text[n]) n++;
  return n;
}

static void say(word fd, const char *text) {
  word left = length(text);
  while (left > 0) {
    word n = call(WRITE, fd, (word)text, left);
    if (n <= 0) end(1);
    text += n;
    left -= n;
  }
}

/* `stack` is the process's first stack: the number of arguments, then pointers to them. */
__attribute__((used, noreturn)) void start(word *stack) {
  char **argv = (char **)(stack + 1);
  if (stack[0] < 3) end(1);
  word timer[4] = {0, 0, number(argv[2]), 0};
  call(SETITIMER, 0, (word)timer, 0);
  word fd = call(SOCKET, 2, 1, 0);
  unsigned port = number(argv[1]);
  unsigned char address[16] = {2, 0, (unsigned char)(port >> 8), (unsigned char)port, 127, 0, 0, 1};
  if (fd < 0 || call(CONNECT, fd, (word)address, sizeof address) < 0) end(1);
  if (stack[0] < 4) end(0);
  say(fd, "GET ");
  say(fd, argv[3]);
  say(fd, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: swarm-provider-probe\r\nConnection: close\r\n\r\n");
  /* "HTTP/1.1 200" */
  char head[12];
  word have = 0;
  while (have < 12) {
    word n = call(READ, fd, (word)(head + have), 12 - have);
    if (n <= 0) end(1);
    have += n;
  }
  end(head[8] == ' ' && (head[9] == '2' || head[9] == '3') ? 0 : 1);
  __builtin_unreachable();
}
