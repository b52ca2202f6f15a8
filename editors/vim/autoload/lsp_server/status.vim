vim9script
# What a status line shows of the server. Owns the status as it was told last, and what is under way.

import autoload 'lsp_server/client.vim'

var told: dict<any> = {}
var underway: dict<string> = {}

# For 'statusline': %{lsp_server#status#Text()}
export def Text(): string
  if !client.Runs()
    return 'lsp_server: off'
  endif
  const withheld = empty(get(told, 'withheld', [])) ? '' : ' (something withheld)'
  return join(['lsp_server:', get(told, 'backend', ''), State()], ' ') .. withheld
enddef

# All that the server has told of its status.
export def Status(): dict<any>
  return told
enddef

# Take what the server tells; true if it can answer now, and could not before.
export def Update(status: dict<any>): bool
  const could = CanAnswer()
  told = status
  Redraw()
  return CanAnswer() && !could
enddef

def CanAnswer(): bool
  return index(['ready', 'fallback'], get(told, 'state', '')) >= 0
enddef

export def Progress(params: dict<any>)
  const value = params.value
  const token = string(params.token)
  if value.kind == 'end'
    if has_key(underway, token)
      remove(underway, token)
    endif
  else
    const title = get(value, 'title', matchstr(get(underway, token, ''), '^[^:]*'))
    const message = get(value, 'message', '')
    underway[token] = empty(message) ? title : $'{title}: {message}'
  endif
  Redraw()
enddef

export def Gone()
  told = {}
  underway = {}
  Redraw()
enddef

def State(): string
  if get(told, 'paused', false)
    return 'paused'
  endif
  if !empty(underway)
    return values(underway)[-1]
  endif
  const state = get(told, 'state', 'starting')
  return state == 'ready' ? get(told, 'busy', false) ? '…' : 'ready' : state
enddef

def Redraw()
  # Without a status line there is nothing to draw, and a message in the command line would go.
  if &laststatus > 0
    redrawstatus!
  endif
enddef
