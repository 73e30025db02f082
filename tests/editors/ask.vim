" vim ... -S ask.vim FILE WORDS ANSWERS: for each line `LINE WORD WHICH ...` of WORDS, the
" syntax group of that word of FILE, or none.
let s:answers = []
for s:line in readfile(argv(1))
  let [s:row, s:word, s:which] = split(s:line)[0:2]
  let s:column = -1
  for s:i in range(s:which)
    let s:column = stridx(getline(s:row), s:word, s:column + 1)
  endfor
  let s:name = synIDattr(synID(s:row, s:column + 1, 1), 'name')
  call add(s:answers, &filetype ==# 'nn' ? (s:name ==# '' ? 'none' : s:name) : 'filetype-' . &filetype)
endfor
call writefile(s:answers, argv(2))
quitall!
