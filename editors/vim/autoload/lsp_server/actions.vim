vim9script
# Code actions: the menu, and running what was chosen from it.
# Owns what is under way, so that it can be cancelled.

import autoload 'lsp_server/client.vim'
import autoload 'lsp_server/documents.vim'
import autoload 'lsp_server/edits.vim'
import autoload 'lsp_server/messages.vim'

var underway: list<number> = []

# Show what can be done at a range of the current buffer.
export def Menu(range: dict<any>)
  const buffer = bufnr()
  if !documents.Flush(buffer)
    messages.Show(2, 'codestral-lsp does not know this buffer: see :LspServer status.')
    return
  endif
  client.Request('textDocument/codeAction', {
    textDocument: {uri: documents.Uri(buffer)}, range: range,
    context: {diagnostics: [], triggerKind: 1},
  }, (result, error) => {
    const found = type(result) == v:t_list ? result : []
    if empty(found)
      messages.Show(3, empty(error) ? 'Nothing to do here.' : error)
      return
    endif
    messages.Choose('Code actions', mapnew(found, (_, action) => action.title), (index) => {
      if index >= 0
        Run(found[index])
      endif
    })
  })
enddef

# Run an action of the server by its id.
export def RunHere(action: string, range: dict<any>)
  const buffer = bufnr()
  if documents.Flush(buffer)
    const call = {action: action, uri: documents.Uri(buffer), version: documents.Version(buffer), range: range}
    Command('lsp_server.runAction', [call])
  endif
enddef

# Run a command of the server; the callback gets its result.
export def Command(command: string, arguments: list<any>, Done: func = (_) => 0)
  Tracked('workspace/executeCommand', {command: command, arguments: arguments}, Done)
enddef

# Cancel everything that is under way.
export def Cancel()
  for id in underway
    client.Cancel(id)
  endfor
enddef

export def Forget()
  underway = []
enddef

def Run(action: dict<any>)
  if type(get(action, 'command', null)) == v:t_string
    Command(action.command, get(action, 'arguments', []))
  elseif has_key(action, 'edit') || !has_key(action, 'data')
    Finish(action)
  else
    Tracked('codeAction/resolve', action, (resolved) => {
      if type(resolved) == v:t_dict
        Finish(resolved)
      endif
    })
  endif
enddef

def Finish(action: dict<any>)
  const command = get(action, 'command', {})
  const Then = (result: any) => {
    if !empty(command)
      Command(command.command, get(command, 'arguments', []))
    endif
  }
  if has_key(action, 'edit')
    edits.Apply(action.edit, action.title, (result) => {
      if result.applied
        Then(null)
      elseif has_key(result, 'failureReason')
        messages.Show(2, $'{action.title}: {result.failureReason}')
      endif
    })
  else
    Then(null)
  endif
enddef

def Tracked(method: string, params: any, Done: func)
  var id = 0
  id = client.Request(method, params, (result, error) => {
    filter(underway, (_, other) => other != id)
    if !empty(error) && error !~? 'cancel'
      messages.Show(2, error)
    endif
    Done(result)
  })
  add(underway, id)
enddef
