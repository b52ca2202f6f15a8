vim9script
# One server process: requests, answers, what the server asks, and starting it again when it dies.
# Owns JSON-RPC and the life cycle. Must not know documents, ghost text or actions.

# A server that dies this often within the time is not started again by itself.
const MOST_EXITS = 4
const WITHIN_S = 180
const PAUSE_MS = 500

var job: job
var ready = false
var wanted = false
var exits: list<number> = []
# How many processes have been started: an older one's end is of no interest.
var spawned = 0
var handlers: dict<func> = {}
var MakeParams: func
var Begun: func
var Ended: func
var log: list<string> = []

# Let a function answer a method of the server: it gets the parameters, and a function for the result.
export def On(method: string, Handler: func)
  handlers[method] = Handler
enddef

# Start the server, and again when it dies: what to initialise it with, and what to call then.
export def Start(Make: func, OnBegun: func, OnEnded: func)
  MakeParams = Make
  Begun = OnBegun
  Ended = OnEnded
  exits = []
  wanted = true
  Spawn()
enddef

export def Stop()
  wanted = false
  if !Runs()
    return
  endif
  # Vim is on its way out: nothing is called back any more.
  ch_evalexpr(job, {method: 'shutdown'}, {timeout: 2000})
  Notify('exit', {})
  ready = false
enddef

export def Ready(): bool
  return ready
enddef

export def Runs(): bool
  return job_status(job) == 'run'
enddef

export def Pid(): number
  return Runs() ? job_info(job).process : 0
enddef

# What the server wrote to its error output and sent as log messages.
export def Log(): list<string>
  return log
enddef

export def Note(line: string)
  add(log, strftime('%H:%M:%S ') .. line)
  if len(log) > 1000
    remove(log, 0, 200)
  endif
enddef

export def Notify(method: string, params: any)
  Send({jsonrpc: '2.0', method: method, params: params})
enddef

# Ask the server; the callback gets the result (null without one) and the message of an error.
export def Request(method: string, params: any, Answered: func): number
  if !Runs()
    return 0
  endif
  const sent = ch_sendexpr(job, {method: method, params: params}, {callback: (_, message) => {
    const error = get(message, 'error', {})
    Answered(get(message, 'result', null), type(error) == v:t_dict ? get(error, 'message', '') : '')
  }})
  return type(sent) == v:t_dict ? get(sent, 'id', 0) : 0
enddef

export def Cancel(id: number)
  if id > 0
    Notify('$/cancelRequest', {id: id})
  endif
enddef

# Not ch_sendexpr: that refuses ids which are texts, and the server's are.
def Send(message: dict<any>)
  if Runs()
    const body = json_encode(message)
    ch_sendraw(job, $"Content-Length: {len(body)}\r\n\r\n{body}")
  endif
enddef

def Spawn()
  ready = false
  const command = get(g:, 'lsp_server_command', ['lsp_server', '--stdio'])
  if !executable(command[0])
    wanted = false
    Ended($'{command[0]} is not on PATH: install codestral-lsp, or set g:lsp_server_command.')
    return
  endif
  spawned += 1
  const mine = spawned
  job = job_start(command, {
    in_mode: 'lsp', out_mode: 'lsp', err_mode: 'nl', noblock: 1,
    out_cb: (_, message) => Received(message),
    err_cb: (_, line) => Note(line),
    exit_cb: (_, status) => Exited(mine, status),
  })
  Request('initialize', MakeParams(), (result, error) => {
    if !empty(error) || type(result) != v:t_dict
      wanted = false
      Ended($'The server did not start: {error}')
      return
    endif
    if get(result.capabilities, 'positionEncoding', 'utf-16') != 'utf-8'
      wanted = false
      Stop()
      Ended('This server does not speak UTF-8: update codestral-lsp.')
      return
    endif
    Notify('initialized', {})
    ready = true
    Begun()
  })
enddef

def Received(message: any)
  if type(message) != v:t_dict || !has_key(message, 'method')
    return
  endif
  const id = get(message, 'id', null)
  const asked = type(id) != v:t_none
  if !has_key(handlers, message.method)
    if asked
      Send({jsonrpc: '2.0', id: id, error: {code: -32601, message: $'Vim has no {message.method}'}})
    endif
    return
  endif
  handlers[message.method](get(message, 'params', {}), (result) => {
    if asked
      Send({jsonrpc: '2.0', id: id, result: result})
    endif
  })
enddef

def Exited(which: number, status: number)
  if which != spawned
    return
  endif
  ready = false
  if !wanted
    Ended('')
    return
  endif
  const now = localtime()
  exits = filter(exits, (_, at) => now - at < WITHIN_S)
  add(exits, now)
  Note($'The server ended with {status}.')
  if len(exits) >= MOST_EXITS
    wanted = false
    Ended('The server has died again and again: see :LspServer log, then :LspServer restart.')
    return
  endif
  Ended('')
  timer_start(PAUSE_MS, (_) => {
    if wanted && !Runs()
      Spawn()
    endif
  })
enddef
