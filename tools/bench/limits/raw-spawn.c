/* Starts /bin/true N times with at most 8 in flight and waits for each: the machine's own limit for short jobs. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  int left = argc > 1 ? atoi(argv[1]) : 2000;
  int running = 0;
  char *const child[] = {"/bin/true", NULL};
  while (left > 0 || running > 0) {
    while (left > 0 && running < 8) {
      pid_t pid;
      if (posix_spawn(&pid, child[0], NULL, NULL, child, environ) != 0) return 1;
      left--;
      running++;
    }
    if (wait(NULL) > 0) running--;
  }
  return 0;
}
