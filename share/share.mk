# What nnc brings along on a Unix machine, built below $(B)/share: manual pages,
# completions, files for editors and pkg-config; and where all of it is installed.
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man

S := $(B)/share
COMMANDS := $(patsubst compiler/commands/%.c,%,$(wildcard compiler/commands/*.c))
PAGES := $(addprefix $(S)/man/,man1/nnc.1 man5/nn.5 man1/nnc-program.1 $(COMMANDS:%=man1/nnc-%.1))
COMPLETIONS := $(addprefix $(S)/data/,bash-completion/completions/nnc zsh/site-functions/_nnc \
	fish/vendor_completions.d/nnc.fish)
FILLED := $(addprefix $(S)/,nnc.pc data/nnc/nn.tmLanguage.json data/vim/vimfiles/syntax/nn.vim \
	data/vim/vimfiles/ftdetect/nn.vim)

share: $(PAGES) $(COMPLETIONS) $(FILLED)

# Fills templates from the tables of nnc and of the programs that it builds.
$(B)/pieces: $(B)/share/pieces.o $(filter-out %/compiler/main.o,$(COMPILER_OBJ)) $(B)/libnncrt.a
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(MODEL_LIBS)

# $(call fill,TEMPLATE...): the target, in one piece or not at all.
fill = mkdir -p $(@D) && $(B)/pieces $(1) $(2) >$@.new && mv $@.new $@
page = mkdir -p $(@D) && $(B)/pieces $(1) $(2) >$@.md && LC_ALL=C awk -f share/man.awk $@.md >$@.new && \
	rm $@.md && mv $@.new $@

$(PAGES): share/man.awk grammar/README.md $(wildcard docs/*.md)
$(COMMANDS:%=$(S)/man/man1/nnc-%.1): $(S)/man/man1/nnc-%.1: share/man/nnc-COMMAND.1.md $(B)/pieces
	$(Q)$(call page,$<,$*)
$(S)/man/man1/%: share/man/%.md $(B)/pieces
	$(Q)$(call page,$<)
$(S)/man/man5/%: share/man/%.md $(B)/pieces
	$(Q)$(call page,$<)

$(S)/nnc.pc: share/nnc.pc $(B)/pieces
	$(Q)$(call fill,$<)
$(S)/data/nnc/%: share/% $(B)/pieces
	$(Q)$(call fill,$<)
$(S)/data/vim/vimfiles/%: share/vim/% $(B)/pieces
	$(Q)$(call fill,$<)

# Their folders begin with the name of the shell.
$(COMPLETIONS): $(B)/nnc
	$(Q)mkdir -p $(@D) && $(B)/nnc --completion $(firstword $(subst -, ,$(subst /, ,$(@:$(S)/data/%=%)))) \
		>$@.new && mv $@.new $@

# nnc finds its runtime by the way from bindir, so that an installed tree can be moved.
RUNTIME_DIR := $(shell realpath -ms --relative-to='$(bindir)' '$(libdir)/nnc')
$(B)/runtime_dir: FORCE
	$(Q)mkdir -p $(@D) && { echo '$(RUNTIME_DIR)' | cmp -s - $@ || echo '$(RUNTIME_DIR)' >$@; }
$(B)/compiler/cc.o: $(B)/runtime_dir
$(B)/compiler/cc.o: ALL_CFLAGS += -DNNC_RUNTIME_DIR='"$(RUNTIME_DIR)"'

# Below DESTDIR and nowhere else; uninstall takes away what install has put there.
install: all
install uninstall:
	$(Q)B='$(B)' DESTDIR='$(DESTDIR)' bindir='$(bindir)' libdir='$(libdir)' datadir='$(datadir)' \
		mandir='$(mandir)' scripts/install.sh $@

.PHONY: FORCE share install uninstall
