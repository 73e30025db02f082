/*
 * page.c - the page of a report: what surrounds its parts. One file, nothing from
 * elsewhere and no script, which a policy in its head also forbids.
 */
#include "report/report.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static const char style[] =
	":root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#6a7380;"
	"--line:#d5dae1;--panel:#f5f7fa;--hit:37 99 235;--miss:220 38 38}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e4e7ec;"
	"--faint:#98a2b0;--line:#363c46;--panel:#1d2128;--hit:96 148 255;"
	"--miss:248 96 96}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 3rem;"
	"background:var(--paper);color:var(--ink);"
	"font:15px/1.5 system-ui,\"Segoe UI\",\"Liberation Sans\",sans-serif}\n"
	"h1{font-size:1.7rem;line-height:1.2;margin:0 0 "
	".25rem;overflow-wrap:anywhere}\n"
	"h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);"
	"padding-bottom:.2rem}\n"
	"h3{font-size:1rem;margin:1.2rem 0 .4rem}\n"
	"p{margin:.4rem "
	"0}.faint,figcaption,caption{color:var(--faint);font-size:.87rem}\n"
	"caption{text-align:left;white-space:nowrap;padding-bottom:.3rem}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15rem .6rem;text-align:left;vertical-align:top}\n"
	"th{font-weight:600}thead th{border-bottom:1px solid var(--line)}\n"
	"tfoot th,tfoot td{border-top:1px solid var(--line);font-weight:600}\n"
	"td.n,th.n{text-align:right}code,.code{font-family:ui-monospace,"
	"\"Liberation Mono\",monospace;font-size:.92em;overflow-wrap:break-word}\n"
	".pairs{display:grid;gap:.5rem 2rem;grid-template-columns:"
	"repeat(auto-fit,minmax(min(100%,26rem),1fr))}.pairs "
	"section{break-inside:avoid}"
	"\n.pairs h3{margin-top:.3rem}.pairs th{white-space:nowrap}\n"
	".big{display:flex;flex-wrap:wrap;gap:.7rem;margin:.8rem 0}\n"
	".big div{background:var(--panel);border:1px solid var(--line);"
	"border-radius:.5rem;padding:.5rem .9rem}\n"
	".big b{display:block;font-size:1.45rem;line-height:1.25}\n"
	".curves{overflow-x:auto}.curves "
	"svg{width:100%;min-width:36rem;height:auto;display:block}\n"
	".curves g[color=black]{color:var(--ink)}.curves [stroke=black]"
	"{stroke:currentColor}.curves g[fill=black]{fill:var(--ink)}\n"
	".curves [stroke='rgb(200, 200, 200)']{stroke:var(--line)}\n"
	".matrix td{text-align:right;padding:.15rem .45rem;min-width:2.6rem}\n"
	".matrix thead th{text-align:right;padding:.15rem .45rem}\n"
	".matrix thead th:first-child,.matrix tbody th{text-align:left;"
	"white-space:nowrap}\n"
	".matrix .hit{background:rgb(var(--hit)/var(--v))}"
	".matrix .miss{background:rgb(var(--miss)/var(--v))}\n"
	".zero{color:var(--faint)}\n"
	".grid{display:grid;gap:.7rem;grid-template-columns:"
	"repeat(auto-fill,minmax(10.5rem,1fr))}\n"
	".grid figure{margin:0;display:flex;gap:.6rem;align-items:flex-start;"
	"break-inside:avoid}\n"
	".grid img{width:4.6rem;height:4.6rem;flex:none}"
	".grid figcaption{line-height:1.35;overflow-wrap:anywhere}\n"
	".grid b{color:var(--ink)}\n"
	".values "
	".grid,.values{grid-template-columns:repeat(auto-fill,minmax(18rem,1fr))}"
	"\n"
	".filters{display:flex;flex-wrap:wrap;gap:3px}"
	".filters img{width:3.6rem;height:3.6rem}\n"
	"img{image-rendering:pixelated;object-fit:contain;background:var(--panel)}\n"
	".scale{display:inline-block;width:9rem;height:.7rem;vertical-align:middle;"
	"background:linear-gradient(90deg,#2166ac,#f7f7f7,#b2182b);"
	"border:1px solid var(--line)}\n"
	"details{margin-top:.6rem}summary{cursor:pointer}\n"
	"@media print{body{max-width:none;padding:0;font-size:11px}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	"h2{break-after:avoid}.wide{overflow:visible}}\n";

void nnc_report_row(FILE *page, const char *name, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fprintf(page, "<tr><th scope=\"row\">%s</th><td>", name);
	nnc_html_text(page, text);
	fputs("</td></tr>\n", page);
}

static void put_head(FILE *page, const NncReport *r)
{
	char now[64] = "";
	time_t clock = time(NULL);
	struct tm utc;

	if (gmtime_r(&clock, &utc))
		strftime(now, sizeof now, "%Y-%m-%d %H:%M UTC", &utc);
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	      "'none'; img-src data:; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, "
	      "initial-scale=1\">\n<title>",
	      page);
	nnc_html_format(page, "%s: report", r->model->name);
	fprintf(page, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>",
		style);
	nnc_html_text(page, r->model->name);
	fputs("</h1>\n<p class=\"faint\">", page);
	nnc_html_format(page, "%s, compiled by nnc %s. Report of %s.", r->model->source,
			NNC_VERSION, now);
	fputs("</p>\n</header>\n<main>\n", page);
}

int nnc_report_page(FILE *page, NncReport *r, NncError *err)
{
	int code;

	put_head(page, r);
	nnc_report_result(page, r);
	code = nnc_report_training(page, r, err);
	if (code)
		return code;
	nnc_report_settings(page, r);
	nnc_report_layers(page, r);
	code = nnc_report_mistakes(page, r, err);
	if (!code)
		code = nnc_report_filters(page, r, err);
	fputs("</main>\n</body>\n</html>\n", page);
	return code;
}
