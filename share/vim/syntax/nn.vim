" Vim syntax file: models of neural networks, for nnc {{version}}
" Generated from the tables of nnc; see share/README.md in its source.
if exists('b:current_syntax')
  finish
endif

" Of what matches at one place the last rule wins; keywords would win over all.
syntax match nnLayer '\<\%({{join \| layer}}\)\>'
syntax match nnActivation '\<\%({{join \| activation}}\)\>'
syntax match nnInit '\<\%({{join \| initialiser}}\)\>'
syntax match nnLoss '\<\%({{join \| loss}}\)\>'
syntax match nnOptimizer '\<\%({{join \| optimizer}}\)\>'
syntax match nnData '\<\%({{join \| data}}\)\>'
syntax match nnChoice '\<\%({{join \| choice}}\)\>'
syntax match nnSetting '\<\%({{join \| data setting}}\)\>'
syntax match nnSetting '\<\%({{join \| train setting}}\)\>'
syntax match nnSetting '\<\%({{join \| tune setting}}\)\>'
syntax match nnSection '\<\%({{join \| section}}\)\>\%(\_s*[{A-Za-z]\)\@='
syntax match nnDirective '\<\%({{join \| directive}}\)\>'
syntax match nnBoolean '\<\%(true\|false\)\>'
syntax match nnKey '\<\%({{join \| key}}\)\>\%(\s*=\)\@='

syntax match nnNumber '\%(\w\)\@<!-\=\%(\d\+\.\=\d*\|\.\d\+\)\%([eE][-+]\=\d\+\)\='
syntax match nnShape '\<\d\+\%(x\d\+\)\+\>'
syntax match nnEscape contained '\\\%(u\x\{4}\|x\x\+\|\o\{1,3}\|.\)'
syntax region nnString start='"' skip='\\.' end='"' oneline contains=nnEscape
syntax sync fromstart
syntax keyword nnTodo contained TODO FIXME XXX
syntax match nnComment '//.*$' contains=nnTodo,@Spell
syntax region nnComment start='/\*' end='\*/' contains=nnTodo,@Spell

highlight default link nnLayer Function
highlight default link nnActivation Type
highlight default link nnInit Type
highlight default link nnLoss Type
highlight default link nnOptimizer Type
highlight default link nnData Type
highlight default link nnChoice Constant
highlight default link nnSetting Identifier
highlight default link nnSection Structure
highlight default link nnDirective PreProc
highlight default link nnBoolean Boolean
highlight default link nnKey Identifier
highlight default link nnNumber Number
highlight default link nnShape Number
highlight default link nnString String
highlight default link nnEscape SpecialChar
highlight default link nnComment Comment
highlight default link nnTodo Todo

let b:current_syntax = 'nn'
