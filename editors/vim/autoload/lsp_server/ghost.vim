vim9script
# Ghost text: asks for it as one types, shows it as virtual text, and puts it into the buffer.
# Owns what is shown. Never moves the cursor without a key.

import autoload 'lsp_server/client.vim'
import autoload 'lsp_server/documents.vim'

const TYPE = 'LspServerGhost'
highlight default LspServerGhost ctermfg=244 guifg=#808080
if empty(prop_type_get(TYPE))
  prop_type_add(TYPE, {highlight: TYPE})
endif

# What is offered: text for `line` of `buffer` from byte `column` on, between `before` and `after`.
var offer: dict<any> = {}
var asked = 0
var tick = -1
# Where nothing came when it was asked for last.
var denied: list<number> = []

# The text has changed in Insert mode.
export def Changed()
  tick = b:changedtick
  if !Follows()
    Dismiss()
    Ask(2)
  endif
enddef

# The cursor has moved, maybe because of a change that is told next.
export def Moved()
  if b:changedtick == tick && !Follows()
    Dismiss()
  endif
enddef

export def Dismiss()
  client.Cancel(asked)
  asked = 0
  Hide()
  offer = {}
enddef

# Ask for ghost text: 1 by hand, 2 by itself (InlineCompletionTriggerKind).
export def Ask(kind: number)
  const buffer = bufnr()
  if !client.Ready() || mode() !~ '^[iR]' || !documents.Flush(buffer)
    return
  endif
  tick = b:changedtick
  const here = Place()
  client.Cancel(asked)
  denied = []
  asked = client.Request('textDocument/inlineCompletion', {
    textDocument: {uri: documents.Uri(buffer)}, position: {line: line('.') - 1, character: col('.') - 1}, context: {triggerKind: kind},
  }, (result, _) => {
    if here == Place() && mode() =~ '^[iR]'
      asked = 0
      Offer(result)
      denied = empty(offer) ? here : []
    endif
  })
enddef

# Ask once more where nothing came, if the cursor is still there: the server could not answer then, and can now.
export def AskAgain()
  if denied == Place()
    Ask(2)
  endif
enddef

def Place(): list<number>
  return [bufnr(), b:changedtick, line('.'), col('.')]
enddef

# The keys that take a part of what is offered (`none` lets it go), or these others without an offer.
export def Keys(part: string, otherwise: string): string
  if empty(offer) || pumvisible()
    return otherwise
  endif
  if part == 'none'
    return "\<Cmd>call lsp_server#ghost#Dismiss()\<CR>"
  endif
  return $"\<C-g>u\<Cmd>call lsp_server#ghost#Take('{part}')\<CR>\<C-g>u"
enddef

export def Take(part: string)
  if empty(offer) || bufnr() != offer.buffer
    return
  endif
  const typed = col('.') - 1 - offer.column
  const rest = strpart(offer.text, typed)
  const taken = Part(rest, part)
  Hide()
  const line = getline('.')
  var added = split(strpart(line, 0, col('.') - 1) .. taken, "\n", true)
  const after = strpart(line, max([offer.end, col('.') - 1]))
  const column = strlen(added[-1])
  added[-1] ..= after
  setline('.', added[0])
  append('.', added[1 :])
  cursor(line('.') + len(added) - 1, column + 1)
  const left = strpart(rest, strlen(taken))
  offer = {}
  if !empty(left)
    Hold(left, column, column)
  endif
enddef

def Part(text: string, part: string): string
  if part == 'word'
    return matchstr(text, '^\_s*\%(\k\+\|[^[:keyword:][:space:]]\+\)\|^\_s*')
  endif
  return part == 'line' ? matchstr(text, '^\n\=[^\n]*') : text
enddef

def Offer(result: any)
  const items = type(result) == v:t_dict ? result.items : type(result) == v:t_list ? result : []
  if empty(items)
    return
  endif
  const [item, cursor] = [items[0], col('.') - 1]
  const range = get(item, 'range', {start: {character: cursor}, end: {character: cursor}})
  const text = substitute(item.insertText, '\r\n\=', "\n", 'g')
  if stridx(text, strpart(getline('.'), range.start.character, cursor - range.start.character)) == 0
    Hold(text, range.start.character, range.end.character)
  endif
enddef

def Hold(text: string, column: number, end: number)
  const line = getline('.')
  offer = {buffer: bufnr(), line: line('.'), column: column, end: end, text: text,
    before: strpart(line, 0, column), after: strpart(line, max([end, col('.') - 1]))}
  Show()
enddef

# Whether what is offered goes on from what has been typed; it is shown as it is now then.
def Follows(): bool
  if empty(offer) || bufnr() != offer.buffer || line('.') != offer.line || col('.') - 1 < offer.column
    return false
  endif
  const [line, cursor] = [getline('.'), col('.') - 1]
  const typed = strpart(line, offer.column, cursor - offer.column)
  if strpart(line, 0, offer.column) != offer.before || strpart(line, cursor) != offer.after
      || stridx(offer.text, typed) != 0 || typed == offer.text
    return false
  endif
  offer.end = max([offer.end, cursor])
  Show()
  return true
enddef

def Show()
  Hide()
  const cursor = col('.') - 1
  const lines = strpart(offer.text, cursor - offer.column)->split("\n", true)
  # Vim shows a tab of virtual text as one blank.
  const shown = mapnew(lines, (_, line) => substitute(line, "\t", repeat(' ', &tabstop), 'g'))
  if !empty(shown[0])
    prop_add(offer.line, cursor + 1, {type: TYPE, text: shown[0]})
  endif
  for line in shown[1 :]
    prop_add(offer.line, 0, {type: TYPE, text: empty(line) ? ' ' : line, text_align: 'below'})
  endfor
enddef

def Hide()
  if !empty(offer) && bufloaded(offer.buffer)
    prop_remove({type: TYPE, bufnr: offer.buffer, all: true})
  endif
enddef
