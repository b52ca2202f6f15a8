vim9script
# The buffers that the server knows, as it knows them. Positions are UTF-8: bytes, as Vim counts.
# Owns versions and what is sent of a change. Must not know what the server makes of it.

import autoload 'lsp_server/client.vim'
import autoload 'lsp_server/uri.vim'

# By buffer number: uri, language, version, lines (how many the server has), listener (its id).
var known: dict<dict<any>> = {}

export def Forget()
  for of in values(known)
    listener_remove(of.listener)
  endfor
  known = {}
enddef

# Buffers that are files; b:lsp_server_off keeps one out.
export def Wanted(buffer: number): bool
  return bufexists(buffer) && bufloaded(buffer) && getbufvar(buffer, '&buftype') == '' && !empty(bufname(buffer))
    && !getbufvar(buffer, 'lsp_server_off', false) && bufname(buffer) !~ '^\a\a\+://' && Listed(buffer)
enddef

def Listed(buffer: number): bool
  const only = get(g:, 'lsp_server_filetypes', [])
  return empty(only) || index(only, getbufvar(buffer, '&filetype')) >= 0
enddef

# Tell the server of a buffer, and of another name or language of one that it knows.
export def Open(buffer: number)
  if !client.Ready() || !Wanted(buffer)
    return
  endif
  const [name, language] = [Uri(buffer), Language(buffer)]
  const old = get(known, buffer, {})
  if !empty(old)
    if old.uri == name && old.language == language
      return
    endif
    Close(buffer)
  endif
  known[buffer] = {uri: name, language: language, version: 1, lines: LineCount(buffer),
    listener: listener_add(Changed, buffer)}
  client.Notify('textDocument/didOpen', {textDocument: {uri: name, languageId: language, version: 1, text: Text(buffer)}})
enddef

export def Close(buffer: number)
  if has_key(known, buffer)
    const of = remove(known, buffer)
    listener_remove(of.listener)
    client.Notify('textDocument/didClose', {textDocument: {uri: of.uri}})
  endif
enddef

export def Saved(buffer: number)
  if has_key(known, buffer)
    listener_flush(buffer)
    client.Notify('textDocument/didSave', {textDocument: {uri: known[buffer].uri}})
  endif
enddef

# Send all of a buffer: what happened to it is not known line by line.
export def Resend(buffer: number)
  if has_key(known, buffer)
    listener_flush(buffer)
    Send(known[buffer], [{text: Text(buffer)}], buffer)
  endif
enddef

# Bring the server up to date about a buffer; false if it does not know that.
export def Flush(buffer: number): bool
  Open(buffer)
  if has_key(known, buffer)
    listener_flush(buffer)
  endif
  return has_key(known, buffer)
enddef

export def Uri(buffer: number): string
  return uri.FromPath(fnamemodify(bufname(buffer), ':p'))
enddef

# The version of a document as the server has it; 0 for one that it does not know.
export def Version(buffer: number): number
  return has_key(known, buffer) ? known[buffer].version : 0
enddef

# The buffer of a uri, or -1; made if that is asked for.
export def Buffer(of: string, make = false): number
  const path = uri.ToPath(of)
  for number in keys(known)
    if known[number].uri == of
      return str2nr(number)
    endif
  endfor
  if empty(path)
    return -1
  endif
  # Not bufnr(path): that takes patterns.
  for buffer in getbufinfo()
    if buffer.name == path
      return buffer.bufnr
    endif
  endfor
  return make ? bufadd(path) : -1
enddef

def Language(buffer: number): string
  const type = getbufvar(buffer, '&filetype')
  return empty(type) ? 'plaintext' : type
enddef

def LineCount(buffer: number): number
  return getbufinfo(buffer)[0].linecount
enddef

def Ending(buffer: number): string
  return {dos: "\r\n", mac: "\r"}->get(getbufvar(buffer, '&fileformat'), "\n")
enddef

def HasLastEnding(buffer: number): bool
  return getbufvar(buffer, '&endofline') || (getbufvar(buffer, '&fixendofline') && !getbufvar(buffer, '&binary'))
enddef

def Text(buffer: number): string
  const ending = Ending(buffer)
  return getbufline(buffer, 1, '$')->join(ending) .. (HasLastEnding(buffer) ? ending : '')
enddef

# Of several changes at once only the last text can be seen: send the lines between the first and the last of them.
def Changed(buffer: number, _: number, _: number, _: number, changes: list<dict<number>>)
  final of = get(known, buffer, {})
  if empty(of)
    return
  endif
  var [lines, head, tail] = [of.lines, of.lines, of.lines]
  for change in changes
    head = min([head, change.lnum - 1])
    tail = min([tail, lines - change.end + 1])
    lines += change.added
  endfor
  if lines != LineCount(buffer) || head + tail > min([lines, of.lines]) || (tail == 0 && !HasLastEnding(buffer))
    Send(of, [{text: Text(buffer)}], buffer)
    return
  endif
  const ending = Ending(buffer)
  const text = getbufline(buffer, head + 1, lines - tail)->mapnew((_, line) => line .. ending)->join('')
  const range = {start: {line: head, character: 0}, end: {line: of.lines - tail, character: 0}}
  Send(of, [{range: range, text: text}], buffer)
enddef

def Send(of: dict<any>, changes: list<dict<any>>, buffer: number)
  of.version += 1
  of.lines = LineCount(buffer)
  client.Notify('textDocument/didChange', {textDocument: {uri: of.uri, version: of.version}, contentChanges: changes})
enddef
