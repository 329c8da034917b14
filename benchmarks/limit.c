/* The least time that a step of the threshold question takes on one thread: its 1-3-5-1 network,
   ReLU, binary cross-entropy and Adam as in Keras, written for it alone. Runs are computed in
   blocks of B, whose state stays in the first-level cache.

       gcc -O3 -march=native -ffast-math limit.c -o limit -lm; ./limit RUNS EPOCHS

   Prints microseconds a run and step. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROWS 10000
#define BATCH 5
#define B 32
#define EACH for (int l = 0; l < B; l++)

typedef float Lanes[B];
typedef struct { Lanes w1[3], b1[3], w2[3][5], b2[5], w3[5], b3; } Network;
#define VALUES ((int)(sizeof(Network) / sizeof(float)))

static void train(Network *network, const float *x, const float *y, const int *order, int epochs) {
  Network mean = {0}, square = {0};
  float *p = (float *)network, *m = (float *)&mean, *v = (float *)&square;
  long t = 0;
  for (int step = 0; step < epochs * (ROWS / BATCH); step++) {
    Network slope = {0};
    float *g = (float *)&slope;
    for (int r = 0; r < BATCH; r++) {
      size_t row = order[step % (ROWS / BATCH) * BATCH + r];
      const float *xr = x + row * B, *yr = y + row * B;
      Lanes h1[3], h2[5], d, d2[5];
      for (int i = 0; i < 3; i++)
        EACH h1[i][l] = fmaxf(xr[l] * network->w1[i][l] + network->b1[i][l], 0);
      for (int j = 0; j < 5; j++) EACH {
          float sum = network->b2[j][l];
          for (int i = 0; i < 3; i++) sum += h1[i][l] * network->w2[i][j][l];
          h2[j][l] = fmaxf(sum, 0);
        }
      EACH {
        float out = network->b3[l];
        for (int j = 0; j < 5; j++) out += h2[j][l] * network->w3[j][l];
        /* Keras clips probabilities; beyond the bounds the gradient is 0. */
        int inside = out > 1e-7f && out < 1 - 1e-7f;
        float q = inside ? out : 0.5f;
        d[l] = inside ? (q - yr[l]) / (q * (1 - q)) / BATCH : 0;
        slope.b3[l] += d[l];
      }
      for (int j = 0; j < 5; j++) EACH {
          slope.w3[j][l] += d[l] * h2[j][l];
          d2[j][l] = h2[j][l] > 0 ? d[l] * network->w3[j][l] : 0;
          slope.b2[j][l] += d2[j][l];
        }
      for (int i = 0; i < 3; i++) EACH {
          float sum = 0;
          for (int j = 0; j < 5; j++) {
            slope.w2[i][j][l] += d2[j][l] * h1[i][l];
            sum += d2[j][l] * network->w2[i][j][l];
          }
          sum = h1[i][l] > 0 ? sum : 0;
          slope.b1[i][l] += sum;
          slope.w1[i][l] += sum * xr[l];
        }
    }
    t++;
    float rate = 1e-3f * sqrtf(1 - powf(.999f, t)) / (1 - powf(.9f, t));
    for (int i = 0; i < VALUES; i++) {
      m[i] += (g[i] - m[i]) * .1f;
      v[i] += (g[i] * g[i] - v[i]) * .001f;
      p[i] -= rate * m[i] / (sqrtf(v[i]) + 1e-7f);
    }
  }
}

int main(int count, char **arguments) {
  if (count != 3) return 1;
  int blocks = (atoi(arguments[1]) + B - 1) / B, epochs = atoi(arguments[2]);
  size_t values = (size_t)ROWS * B;
  float *x = malloc(values * blocks * sizeof(float)), *y = malloc(values * blocks * sizeof(float));
  for (size_t i = 0; i < values * blocks; i++) {
    int class = rand() & 1;
    x[i] = class * 50000 + rand() % 50000;
    y[i] = class;
  }
  Network *networks = aligned_alloc(64, sizeof(Network) * blocks);
  for (int i = 0; i < VALUES * blocks; i++)
    ((float *)networks)[i] = (rand() / (float)RAND_MAX - .5f) * 1.5f;
  int order[ROWS];
  for (int i = 0; i < ROWS; i++) order[i] = i;
  for (int i = ROWS - 1; i > 0; i--) {
    int other = rand() % (i + 1), held = order[i];
    order[i] = order[other], order[other] = held;
  }
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int k = 0; k < blocks; k++)
    train(networks + k, x + values * k, y + values * k, order, epochs);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = end.tv_sec - start.tv_sec + 1e-9 * (end.tv_nsec - start.tv_nsec);
  printf("%.6f\n", 1e6 * seconds / ((double)blocks * B * epochs * (ROWS / BATCH)));
  return 0;
}
