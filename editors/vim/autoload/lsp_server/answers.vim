vim9script
# Answers in words, in the preview window: they grow there while the model writes, and the server's file takes their
# place when they are whole. Also opens other documents that the server wants to be seen.

import autoload 'lsp_server/uri.vim'

const GROWING = 'lsp_server://answer'
const LEAST_LINES = 12

# Actions that are answered in words, and stream here: others write code, which is shown as an edit.
const WORDS = ['explain', 'review', 'convert']

# The run whose text grows, and the one whose file is shown: what comes of that later is in the file.
var growing: any = null
var shown: any = null

export def Grow(params: dict<any>)
  if index(WORDS, params.action) < 0 || params.token == shown
    return
  endif
  const buffer = bufadd(GROWING)
  const begins = params.token != growing
  growing = params.token
  if begins && bufwinid(buffer) < 0
    Preview(GROWING)
    setbufvar(buffer, '&buftype', 'nofile')
    setbufvar(buffer, '&swapfile', false)
    setbufvar(buffer, '&undolevels', -1)
  endif
  const lines = split(params.text, "\n")
  setbufline(buffer, 1, lines)
  silent deletebufline(buffer, len(lines) + 1, '$')
enddef

export def ShowDocument(params: any, Reply: func)
  const path = uri.ToPath(params.uri)
  if empty(path)
    Reply({success: false})
    return
  endif
  # Who has closed it while it grew has read enough.
  const closed = growing != shown && bufwinid(bufadd(GROWING)) < 0
  shown = growing
  if get(params, 'takeFocus', false)
    Edit(path, get(params, 'selection', {}))
  elseif bufwinid(bufadd(path)) > 0
    Reveal(path, get(params, 'selection', {}))
  elseif !closed
    Preview(path)
    Reveal(path, get(params, 'selection', {}))
  endif
  Reply({success: true})
enddef

# Show a file or buffer in the preview window, the cursor where it is.
def Preview(name: string)
  const height = &previewheight
  &previewheight = max([LEAST_LINES, &lines / 3])
  # A server is not to be told of its own answers.
  setbufvar(bufadd(name), 'lsp_server_off', true)
  execute $'silent pedit {fnameescape(name)}'
  &previewheight = height
  for window in getwininfo()
    if getwinvar(window.winid, '&previewwindow')
      win_execute(window.winid, 'setlocal filetype=markdown wrap linebreak conceallevel=2 nonumber nofoldenable')
    endif
  endfor
enddef

def Edit(path: string, selection: dict<any>)
  const window = bufwinid(bufadd(path))
  if window > 0
    win_gotoid(window)
  else
    execute $'split {fnameescape(path)}'
  endif
  if !empty(selection)
    cursor(selection.start.line + 1, selection.start.character + 1)
  endif
enddef

# Scroll to a place if it is out of sight.
def Reveal(path: string, selection: dict<any>)
  const window = bufwinid(bufadd(path))
  if empty(selection) || window < 0
    return
  endif
  const [info, line] = [getwininfo(window)[0], selection.start.line + 1]
  if line < info.topline || line > info.botline
    win_execute(window, $'normal! {line}Gzz')
  endif
enddef
