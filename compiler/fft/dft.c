/*
 * dft.c - transforms of smooth sizes: 2, 4 and odd primes written out, Good's
 * prime-factor map where the size has coprime factors, and Cooley and Tukey's with
 * twiddle factors for powers of a prime. Indices run symmetrically about 0 in both, as
 * in the conjugate-pair FFT (Kamar and Elcherif, 1989): for real or Hermitian numbers
 * the two halves are then one subgraph up to signs, and the dag computes it once.
 */
#include <math.h>

#include "fft.h"

#define PI 3.14159265358979323846

/* ---- complex numbers ----------------------------------------------------- */

static Complex add(Dag *d, Complex a, Complex b)
{
	return (Complex){dag_add(d, a.re, b.re), dag_add(d, a.im, b.im)};
}

static Complex sub(Dag *d, Complex a, Complex b)
{
	return (Complex){dag_sub(d, a.re, b.re), dag_sub(d, a.im, b.im)};
}

static Complex scale(Dag *d, double factor, Complex a)
{
	return (Complex){dag_scale(d, factor, a.re), dag_scale(d, factor, a.im)};
}

/* a sign i */
static Complex turn(Complex a, int sign)
{
	return sign < 0 ? (Complex){a.im, -a.re} : (Complex){-a.im, a.re};
}

/* a e^(2 pi i k / n) */
static Complex rotate(Dag *d, Complex a, int n, int k)
{
	double c = cos(2 * PI * k / n), s = sin(2 * PI * k / n);
	return (Complex){
		dag_sub(d, dag_scale(d, c, a.re), dag_scale(d, s, a.im)),
		dag_add(d, dag_scale(d, c, a.im), dag_scale(d, s, a.re)),
	};
}

/* ---- small sizes --------------------------------------------------------- */

static void dft4(Dag *d, const Complex *x, Complex *y, int sign)
{
	Complex a = add(d, x[0], x[2]), b = sub(d, x[0], x[2]);
	Complex c = add(d, x[1], x[3]), e = turn(sub(d, x[1], x[3]), sign);
	y[0] = add(d, a, c);
	y[1] = add(d, b, e);
	y[2] = sub(d, a, c);
	y[3] = sub(d, b, e);
}

/* An odd prime: y[k] and y[n-k] share the cosines' sum m and the sines' s. */
static void dft_odd(Dag *d, const Complex *x, Complex *y, int n, int sign)
{
	y[0] = x[0];
	for (int j = 1; j <= n / 2; j++)
		y[0] = add(d, y[0], add(d, x[j], x[n - j]));
	for (int k = 1; k <= n / 2; k++) {
		Complex m = x[0], s = {0, 0};
		for (int j = 1; j <= n / 2; j++) {
			double angle = 2 * PI * (j * k % n) / n;
			m = add(d, m, scale(d, cos(angle), add(d, x[j], x[n - j])));
			s = add(d, s, scale(d, sin(angle), sub(d, x[j], x[n - j])));
		}
		s = turn(s, sign);
		y[k] = add(d, m, s);
		y[n - k] = sub(d, m, s);
	}
}

/* ---- products of sizes
 * ----------------------------------------------------------------- */

static int mod(int k, int n)
{
	return (k % n + n) % n;
}

/*
 * n = a b: the outer transforms of size a of each b-th number, then inner ones of size
 * b. Coprime factors need no twiddles: numbers b i + a j go to the bin that is k1 mod a
 * and k2 mod b. Otherwise numbers b i + j go to bin k1 + a k2, turned by j k1 / n on
 * the way.
 */
static void dft_product(Dag *d, const Complex *x, Complex *y, int a, int b,
			bool coprime, int sign)
{
	int n = a * b;
	Complex part[MAX_TRANSFORM] = {0}, inner[MAX_TRANSFORM] = {0};
	Complex outer[MAX_TRANSFORM] = {0};
	for (int j = -((b - 1) / 2); j <= b / 2; j++) {
		for (int i = 0; i < a; i++)
			part[i] = x[mod(b * i + (coprime ? a : 1) * j, n)];
		const int at = mod(j, b) * a;
		dft(d, part, outer + at, a, sign);
	}
	for (int k1 = -((a - 1) / 2); k1 <= a / 2; k1++) {
		for (int j = -((b - 1) / 2); j <= b / 2; j++) {
			Complex z = outer[mod(j, b) * a + mod(k1, a)];
			part[mod(j, b)] = coprime ? z : rotate(d, z, n, sign * j * k1);
		}
		dft(d, part, inner, b, sign);
		for (int k = 0; k < n && coprime; k++)
			if (k % a == mod(k1, a))
				y[k] = inner[k % b];
		for (int k2 = 0; k2 < b && !coprime; k2++)
			y[mod(k1 + a * k2, n)] = inner[k2];
	}
}

static int smallest_factor(int n)
{
	int p = 2;
	while (n % p)
		p++;
	return p;
}

/* The first factor of n: all of its smallest prime, or that power but one radix. */
static int first_factor(int n, bool *coprime)
{
	int p = smallest_factor(n), a = 1;
	while (n / a % p == 0)
		a *= p;
	*coprime = a < n;
	return *coprime ? a : n / (p == 2 ? 4 : p);
}

static bool is_small(int n)
{
	return n <= 5 || smallest_factor(n) == n;
}

void dft(Dag *d, const Complex *x, Complex *y, int n, int sign)
{
	bool coprime;
	assert(n <= MAX_TRANSFORM);
	if (n == 1) {
		y[0] = x[0];
	} else if (n == 2) {
		y[0] = add(d, x[0], x[1]);
		y[1] = sub(d, x[0], x[1]);
	} else if (n == 4) {
		dft4(d, x, y, sign);
	} else if (is_small(n)) {
		dft_odd(d, x, y, n, sign);
	} else {
		int a = first_factor(n, &coprime);
		dft_product(d, x, y, a, n / a, coprime, sign);
	}
}

/* ---- counts -------------------------------------------------------------- */

bool is_smooth(int64_t n)
{
	for (int p = 2; p <= 7; p++)
		while (n % p == 0)
			n /= p;
	return n == 1;
}

double dft_operations(int64_t n)
{
	bool coprime;
	if (n < 2)
		return 0;
	if (n == 2 || n == 4)
		return n == 2 ? 4 : 16;
	if (is_small((int)n)) {
		double half = (double)(n / 2);
		return 4 * half * half + 10 * half - 2;
	}
	int64_t a = first_factor((int)n, &coprime), b = n / a;
	double turns = coprime ? 0 : 4 * (double)((a - 1) * (b - 1));
	return (double)b * dft_operations(a) + (double)a * dft_operations(b) + turns;
}
