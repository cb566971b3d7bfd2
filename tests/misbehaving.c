/* A VST2 instrument for tests: one sine a note, and every fault that a plug-in can have.
 *
 * Built by tests/misbehaving.py. -DON_LOAD=1 aborts when it is loaded, 2 hangs, 3 reports no parameters.
 * The few declarations are written from the published layout of the interface; no SDK is used.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ON_LOAD
#define ON_LOAD 0
#endif

enum { LEVEL, SHAPE, NOTHING, STUCK, RANDOM, FAULT, TWIN, COUNT };
static const char *NAMES[COUNT] = {"Level", "Shape", "Nothing", "Stuck", "Random Phase", "Bypass Fault", "Nothing"};
static const float DEFAULTS[COUNT] = {0.5f, 0.0f, 0.5f, 0.5f, 1.0f, 0.0f, 0.5f};

typedef struct Effect Effect;
struct Effect {
    int32_t magic;
    intptr_t (*dispatcher)(Effect *, int32_t, int32_t, intptr_t, void *, float);
    void (*process)(Effect *, float **, float **, int32_t);
    void (*set)(Effect *, int32_t, float);
    float (*get)(Effect *, int32_t);
    int32_t programs, parameters, inputs, outputs, flags;
    intptr_t reserved1, reserved2;
    int32_t delay, real_qualities, off_qualities;
    float ratio;
    void *object, *user;
    int32_t id, version;
    void (*replacing)(Effect *, float **, float **, int32_t);
    void (*replacing_double)(Effect *, double **, double **, int32_t);
    char future[56];
    /* ours */
    float values[COUNT];
    double rate, phase, step;
    int on;
};

typedef struct {
    int32_t type, size, delta, flags, length, offset;
    unsigned char midi[4];
} MidiEvent;

typedef struct {
    int32_t count;
    intptr_t reserved;
    MidiEvent *events[2];
} Events;

static double chance(void) {
    uint32_t drawn = 0;
    FILE *file = fopen("/dev/urandom", "rb");
    if (file) {
        if (!fread(&drawn, sizeof drawn, 1, file)) drawn = 1;
        fclose(file);
    }
    return drawn / 4294967296.0;
}

static void hang(void) {
    for (;;) sleep(1);
}

static void event(Effect *e, const MidiEvent *m) {
    if (m->type != 1) return;
    int status = m->midi[0] & 0xF0;
    if (status == 0x90 && m->midi[2]) {
        e->step = 440.0 * pow(2.0, (m->midi[1] - 69) / 12.0) / e->rate;
        e->phase = e->values[RANDOM] > 0.5f ? chance() : 0.0;
        e->on = 1;
    } else if (status == 0x80 || status == 0x90) {
        e->on = 0;
    }
}

static intptr_t dispatch(Effect *e, int32_t code, int32_t index, intptr_t value, void *data, float option) {
    switch (code) {
    case 1: free(e); return 1;
    case 6: strcpy(data, ""); return 1;
    case 7:
        if (index == SHAPE) strcpy(data, (const char *[]){"Sine", "Hum", "Buzz"}[(int)(e->values[SHAPE] * 2.999f)]);
        else snprintf(data, 16, "%.4f", index >= 0 && index < COUNT ? e->values[index] : 0.0f);
        return 1;
    case 8: strcpy(data, index >= 0 && index < COUNT ? NAMES[index] : ""); return 1;
    case 10: if (option > 0.0f) e->rate = option; return 0;
    case 25: for (int i = 0; i < ((Events *)data)->count; i++) event(e, ((Events *)data)->events[i]); return 1;
    case 35: return 2;
    case 45: strcpy(data, "Misbehaving"); return 1;
    case 51: return strncmp(data, "receiveVst", 10) ? 0 : 1;
    case 58: return 2400;
    default: (void)value; return 0;
    }
}

static void set(Effect *e, int32_t index, float value) {
    if (index >= 0 && index < COUNT && index != STUCK) e->values[index] = value;
}

static float get(Effect *e, int32_t index) { return index >= 0 && index < COUNT ? e->values[index] : 0.0f; }

static void play(Effect *e, float **in, float **out, int32_t count) {
    (void)in;
    float fault = e->values[FAULT];
    if (e->on && fault > 0.2f && fault < 0.3f) abort();
    if (e->on && fault > 0.4f && fault < 0.6f) hang();
    int shape = (int)(e->values[SHAPE] * 2.999f);
    for (int32_t i = 0; i < count; i++) {
        double tone = sin(2.0 * M_PI * e->phase);
        if (shape) tone = 0.5 * tone + 0.2 * sin(2.0 * M_PI * (shape + 1) * e->phase);
        out[0][i] = e->on ? (float)(0.8 * e->values[LEVEL] * tone) : 0.0f;
        if (fault > 0.7f && fault < 0.8f) out[0][i] = NAN;
        e->phase = fmod(e->phase + e->step, 1.0);
    }
}

__attribute__((visibility("default"))) Effect *VSTPluginMain(void *host) {
    (void)host;
    if (ON_LOAD == 1) abort();
    if (ON_LOAD == 2) hang();
    Effect *e = calloc(1, sizeof *e);
    e->magic = 0x56737450;
    e->dispatcher = dispatch;
    e->set = set;
    e->get = get;
    e->parameters = ON_LOAD == 3 ? 0 : COUNT;
    e->outputs = 1;
    e->flags = (1 << 4) | (1 << 8);
    e->ratio = 1.0f;
    e->id = 0x4D656E75;
    e->version = 7;
    e->process = e->replacing = play;
    e->rate = 44100.0;
    memcpy(e->values, DEFAULTS, sizeof DEFAULTS);
    return e;
}
