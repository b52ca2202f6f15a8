" codestral-lsp for Vim: when it starts, which keys and commands there are. What they do is in autoload/lsp_server/.
if !has('vim9script') || !has('patch-9.0.1378') || !has('channel') || !has('job') || !has('textprop')
  finish
endif
vim9script
if exists('g:loaded_lsp_server')
  finish
endif
g:loaded_lsp_server = true

import autoload 'lsp_server/commands.vim'
import autoload 'lsp_server/documents.vim'
import autoload 'lsp_server/ghost.vim'
import autoload 'lsp_server/session.vim'

augroup lsp_server
  autocmd!
  autocmd BufEnter,BufFilePost * session.Serve(str2nr(expand('<abuf>')))
  # A buffer that is read is served before it has its file type.
  autocmd FileType * session.Serve(str2nr(expand('<abuf>')))
  autocmd BufUnload * documents.Close(str2nr(expand('<abuf>')))
  autocmd FileChangedShellPost * documents.Resend(str2nr(expand('<abuf>')))
  autocmd OptionSet fileformat,endofline documents.Resend(bufnr())
  autocmd BufWritePost * documents.Saved(str2nr(expand('<abuf>')))
  autocmd TextChangedI,TextChangedP * ghost.Changed()
  autocmd CursorMovedI * ghost.Moved()
  autocmd InsertLeave,BufLeave * ghost.Dismiss()
  # A colour scheme clears all colours.
  autocmd ColorScheme * highlight default LspServerGhost ctermfg=244 guifg=#808080
  autocmd VimLeavePre * session.Stop()
augroup END

command! -nargs=+ -range -complete=custom,commands.Names LspServer commands.Run(<range>, <line1>, <line2>, <q-args>)

inoremap <expr> <Plug>(lsp_server-accept) ghost.Keys('all', '')
inoremap <expr> <Plug>(lsp_server-accept-or-tab) ghost.Keys('all', "\<Tab>")
inoremap <expr> <Plug>(lsp_server-accept-word) ghost.Keys('word', "\<C-Right>")
inoremap <expr> <Plug>(lsp_server-accept-line) ghost.Keys('line', "\<C-Down>")
inoremap <expr> <Plug>(lsp_server-dismiss) ghost.Keys('none', "\<C-e>")
inoremap <Plug>(lsp_server-ask) <ScriptCmd>ghost.Ask(1)<CR>
nnoremap <Plug>(lsp_server-actions) <Cmd>LspServer actions<CR>
xnoremap <Plug>(lsp_server-actions) :LspServer actions<CR>
nnoremap <Plug>(lsp_server-explain) <Cmd>LspServer explain<CR>
xnoremap <Plug>(lsp_server-explain) :LspServer explain<CR>

# Keys that somebody has mapped already stay as they are.
def Map(mode: string, key: string, plug: string)
  if maparg(key, mode)->empty() && !hasmapto($'<Plug>({plug})', mode)
    execute $'{mode}map {key} <Plug>({plug})'
  endif
enddef

if get(g:, 'lsp_server_keys', true)
  Map('i', '<Tab>', 'lsp_server-accept-or-tab')
  Map('i', '<C-Right>', 'lsp_server-accept-word')
  Map('i', '<C-Down>', 'lsp_server-accept-line')
  Map('i', '<C-e>', 'lsp_server-dismiss')
  Map('n', 'gra', 'lsp_server-actions')
  Map('x', 'gra', 'lsp_server-actions')
endif
