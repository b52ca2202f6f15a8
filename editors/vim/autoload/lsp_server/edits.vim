vim9script
# Edits of the server in buffers: shown first where that is asked for, and one undo step in each buffer.
# Owns that nothing is changed that has another version than the edit is for.

import autoload 'lsp_server/documents.vim'
import autoload 'lsp_server/preview.vim'
import autoload 'lsp_server/uri.vim'

# Apply a WorkspaceEdit; the reply is an ApplyWorkspaceEditResult.
export def Apply(edit: dict<any>, title: string, Reply: func)
  const changes = Changes(edit)
  if !NeedsYes(edit)
    Reply(Applied(changes))
    return
  endif
  preview.Ask(title, mapnew(changes, (_, change) => Shown(change)), (yes) => {
    Reply(yes ? Applied(changes) : {applied: false})
  })
enddef

# Both forms of a WorkspaceEdit as a list of {uri, version, edits, create}.
def Changes(edit: dict<any>): list<dict<any>>
  if !has_key(edit, 'documentChanges')
    return items(get(edit, 'changes', {}))->mapnew((_, pair) => ({uri: pair[0], version: null, edits: pair[1], create: false}))
  endif
  return mapnew(edit.documentChanges, (_, change) => has_key(change, 'kind')
    ? {uri: change.uri, version: null, edits: [], create: change.kind == 'create'}
    : {uri: change.textDocument.uri, version: change.textDocument.version, edits: change.edits, create: false})
enddef

def NeedsYes(edit: dict<any>): bool
  return get(edit, 'changeAnnotations', {})->values()->indexof((_, of) => get(of, 'needsConfirmation', false)) >= 0
enddef

def Applied(changes: list<dict<any>>): dict<any>
  for change in changes
    const version = documents.Version(documents.Buffer(change.uri))
    if type(change.version) == v:t_number && version > 0 && change.version != version
      return {applied: false, failureReason: 'the text has changed meanwhile'}
    endif
    if empty(uri.ToPath(change.uri)) && documents.Buffer(change.uri) < 0
      return {applied: false, failureReason: $'Vim cannot edit {change.uri}'}
    endif
    if change.create && filereadable(uri.ToPath(change.uri))
      return {applied: false, failureReason: $'{uri.ToPath(change.uri)} is there already'}
    endif
  endfor
  for change in changes
    const buffer = documents.Buffer(change.uri, true)
    mkdir(fnamemodify(bufname(buffer), ':p:h'), 'p')
    bufload(buffer)
    setbufvar(buffer, '&buflisted', true)
    if !getbufvar(buffer, '&modifiable')
      return {applied: false, failureReason: $'{bufname(buffer)} cannot be changed'}
    endif
    Change(buffer, change.edits)
    documents.Flush(buffer)
  endfor
  return {applied: true}
enddef

# From the last one on, so that no edit moves another.
def Change(buffer: number, edits: list<dict<any>>)
  for edit in Sorted(edits)
    const [first, last] = [edit.range.start, edit.range.end]
    const count = getbufinfo(buffer)[0].linecount
    # The end of a text with a last line ending is the start of a line that Vim does not have.
    const after = last.line >= count ? '' : strpart(getbufline(buffer, last.line + 1)[0], last.character)
    const before = first.line >= count ? '' : strpart(getbufline(buffer, first.line + 1)[0], 0, first.character)
    var lines = split(before .. edit.newText, '\r\n\=\|\n', true)
    lines[-1] ..= after
    if last.line >= count && lines[-1] == ''
      remove(lines, -1)
    endif
    Replace(buffer, first.line + 1, min([last.line + 1, count]), lines)
  endfor
enddef

# Lines that stay are not touched: marks and folds stay with them.
def Replace(buffer: number, first: number, last: number, lines: list<string>)
  const kept = min([last - first + 1, len(lines)])
  for at in range(max([kept, 0]))
    if getbufline(buffer, first + at)[0] != lines[at]
      setbufline(buffer, first + at, lines[at])
    endif
  endfor
  if len(lines) > kept
    appendbufline(buffer, first + kept - 1, lines[kept :])
  elseif last - first + 1 > kept
    deletebufline(buffer, first + kept, last)
  endif
enddef

def Sorted(edits: list<dict<any>>): list<dict<any>>
  return copy(edits)->reverse()->sort((one, other) => {
    const [of, than] = [one.range.start, other.range.start]
    return of.line == than.line ? than.character - of.character : than.line - of.line
  })
enddef

# What a change does, as lines for a preview.
def Shown(change: dict<any>): dict<any>
  const buffer = documents.Buffer(change.uri)
  const path = fnamemodify(uri.ToPath(change.uri), ':~:.')
  var lines: list<string> = []
  for edit in Sorted(change.edits)->reverse()
    const old = buffer < 0 ? [] : getbufline(buffer, edit.range.start.line + 1, edit.range.end.line + 1)
    const head = empty(old) ? '' : strpart(old[0], 0, edit.range.start.character)
    const whole = edit.range.end.character == 0 || empty(old)
    const tail = whole ? '' : strpart(old[-1], edit.range.end.character)
    const removed = edit.range.end.character == 0 ? old[: -2] : old
    const text = head .. edit.newText .. tail
    lines += [$'@@ {path}:{edit.range.start.line + 1} @@']
    lines += mapnew(removed, (_, line) => '-' .. line)
    lines += split(substitute(text, '\r\n\=\|\n$', '', ''), '\r\n\=\|\n', true)->mapnew((_, line) => '+' .. line)
  endfor
  return {path: path, create: change.create, lines: lines}
enddef
