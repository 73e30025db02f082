# Figure 2: training accuracy per epoch, a panel a model; each seed is a line.
#	gnuplot -e "runs='study'; models='mlp1_relu cnn'; samples=10000; seeds='1 2 3';
#		name='figure2'" curves.gp
set datafile separator comma
title_of(m) = \
	m eq 'mlp1_relu' ? '1 layer, ReLU' : \
	m eq 'mlp2_relu' ? '2 layers, ReLU' : \
	m eq 'mlp3_relu' ? '3 layers, ReLU' : \
	m eq 'mlp3_leaky_relu' ? '3 layers, leaky ReLU' : \
	m eq 'mlp3_tanh' ? '3 layers, tanh' : \
	m eq 'mlp3_relu_dropout' ? '3 layers, dropout' : \
	m eq 'mlp3_relu_dropout256' ? '3 layers of 256, dropout' : \
	m eq 'mlp3_relu_raw' ? '3 layers, raw pixels' : \
	m eq 'cnn' ? 'CNN' : m
history(kind, m, seed) = \
	sprintf("%s/%s/%s-%d-%s/history.csv", runs, kind, m, samples, word(seeds, seed))

# A panel of each model; the last row and the first column have the labels.
panels = words(models)
rows = (panels + 2) / 3
height = 70 + 255 * rows
draw = "\
set multiplot layout rows,3 margins screen 0.06,0.985,55./height,1-30./height \
	spacing screen 0.03,45./height; \
do for [i=1:panels] { \
	m = word(models, i); \
	set title title_of(m) offset 0,-0.7; \
	if (i > panels - 3) { set xlabel 'epoch' offset 0,0.4; set format x '%g' } \
	else { unset xlabel; set format x '' }; \
	if (i % 3 == 1) { set ylabel 'training accuracy' offset 1,0; set format y '%.1f' } \
	else { unset ylabel; set format y '' }; \
	if (i == 1) { set key bottom right samplen 2 } else { unset key }; \
	other = m eq 'cnn' ? 'paper' : 'tuned'; \
	plot for [s=1:words(seeds)] history('paper', m, s) every ::1 using 1:3 \
			with lines ls 1 notitle, \
	     for [s=1:words(seeds)] history(other, m, s) every ::1 using 1:3 \
			with lines ls (m eq 'cnn' ? 1 : 2) notitle, \
	     NaN with lines ls 1 title \"the paper's rate and batch\", \
	     NaN with lines ls 2 title 'tuned'; \
}; \
unset multiplot"

set style line 1 lc rgb '#3b6fb6' lw 1.5
set style line 2 lc rgb '#d1662a' lw 1.5
set logscale x
set xrange [1:100]
set xtics (1, 2, 5, 10, 20, 50, 100)
set yrange [0:1]
set ytics 0.2
set grid lt 1 lc rgb '#dddddd' lw 0.5
set terminal svg size 1000,height font 'sans,13' background 'white'
set output name.'.svg'
eval draw
set terminal pngcairo size 1000,height font 'sans,10' background 'white'
set output name.'.png'
eval draw
