vim9script
# The command :LspServer.

import autoload 'lsp_server/actions.vim'
import autoload 'lsp_server/client.vim'
import autoload 'lsp_server/documents.vim'
import autoload 'lsp_server/messages.vim'
import autoload 'lsp_server/session.vim'
import autoload 'lsp_server/status.vim'

export def Names(_: string, _: string, _: number): string
  return keys(COMMANDS)->sort()->join("\n")
enddef

# Run a subcommand; `count` is 0 without a range, and then the cursor is meant.
export def Run(count: number, first: number, last: number, words: string)
  const name = matchstr(words, '^\S*')
  if has_key(COMMANDS, name)
    COMMANDS[name](count == 0 ? Here() : Range(first, last), trim(strpart(words, strlen(name))))
  else
    messages.Show(2, $'There is no :LspServer {name}: these are {keys(COMMANDS)->sort()->join(", ")}.')
  endif
enddef

def Cursor(): dict<number>
  return {line: line('.') - 1, character: col('.') - 1}
enddef

def Here(): dict<any>
  return {start: Cursor(), end: Cursor()}
enddef

# The lines of a range; what is selected in them, if the range is a selection within lines.
def Range(first: number, last: number): dict<any>
  const [start, end] = [getpos("'<"), getpos("'>")]
  if visualmode() ==# 'v' && start[1] == first && end[1] == last
    const column = end[2] - 1 + strlen(strpart(getline(last), end[2] - 1)->strcharpart(0, 1))
    return {start: {line: first - 1, character: start[2] - 1},
      end: {line: last - 1, character: min([column, strlen(getline(last))])}}
  endif
  return {start: {line: first - 1, character: 0}, end: {line: last - 1, character: strlen(getline(last))}}
enddef

def Chat(command: string, more: dict<any>)
  if documents.Flush(bufnr())
    actions.Command($'lsp_server.chat.{command}', [extend({uri: documents.Uri(bufnr())}, more)])
  endif
enddef

# `completion.enabled false`: change g:lsp_server, and let the server know.
def Set(words: string)
  const found = matchlist(words, '^\(\S\+\)\s\+\(.\+\)$')
  if empty(found)
    messages.Show(2, 'For example :LspServer set completion.max_tokens 64')
    return
  endif
  var value: any
  try
    value = json_decode(found[2])
  catch
    value = found[2]
  endtry
  g:lsp_server = deepcopy(get(g:, 'lsp_server', {}))
  var at = g:lsp_server
  const path = split(found[1], '\.')
  for key in path[: -2]
    if !has_key(at, key)
      at[key] = {}
    endif
    at = at[key]
  endfor
  at[path[-1]] = value
  session.Configure()
enddef

def Status(): string
  const told = status.Status()
  var lines = [status.Text(), $'process {client.Pid()}', get(told, 'message', '')] + get(told, 'withheld', [])
  return filter(lines, (_, line) => !empty(line))->join("\n")
enddef

def Lines(lines: list<string>)
  new
  setlocal buftype=nofile bufhidden=wipe noswapfile
  setline(1, lines)
enddef

# At the end: what these call has to be there.
const COMMANDS: dict<func> = {
  actions: (range, _) => actions.Menu(range),
  apply: (_, _) => Chat('apply', {position: Cursor()}),
  backend: (_, name) => actions.Command('lsp_server.selectBackend', empty(name) ? [] : [name]),
  cancel: (_, _) => actions.Cancel(),
  chat: (range, _) => actions.Command('lsp_server.openChat', [{uri: documents.Uri(bufnr()), range: range}]),
  explain: (range, _) => actions.RunHere('explain', range),
  log: (_, _) => Lines(client.Log()),
  pause: (_, minutes) => actions.Command('lsp_server.pause', empty(minutes) ? [] : [{minutes: str2nr(minutes)}]),
  regenerate: (_, _) => Chat('regenerate', {wait: false}),
  restart: (_, _) => session.Restart(),
  send: (_, _) => Chat('send', {wait: false}),
  set: (_, words) => Set(words),
  start: (_, _) => session.Start(),
  stats: (_, _) => actions.Command('lsp_server.stats', [], (result) => Lines(split(get(result, 'markdown', ''), "\n"))),
  status: (_, _) => messages.Show(3, Status()),
  stop: (_, _) => session.Stop(),
  stopchat: (_, _) => Chat('stop', {}),
}
