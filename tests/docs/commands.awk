# The commands of a page's console blocks, in their order, as folder/NNN.command, and
# what is written below each as folder/NNN.wanted.
/^```console$/ { on = 1; next }
/^```/ { on = 0 }
!on { next }
/^\$ / {
	name = sprintf("%s/%03d", folder, ++n)
	print substr($0, 3) >(name ".command")
	printf "" >(name ".wanted")
	close(name ".command")
	next
}
{ print >(name ".wanted") }
