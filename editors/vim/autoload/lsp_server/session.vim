vim9script
# What belongs together: the server, what Vim tells it about itself, and who deals with what it says.

import autoload 'lsp_server/actions.vim'
import autoload 'lsp_server/answers.vim'
import autoload 'lsp_server/client.vim'
import autoload 'lsp_server/documents.vim'
import autoload 'lsp_server/edits.vim'
import autoload 'lsp_server/ghost.vim'
import autoload 'lsp_server/messages.vim'
import autoload 'lsp_server/status.vim'
import autoload 'lsp_server/uri.vim'

var begun = false

# Let the server know a buffer; the first one starts it.
export def Serve(buffer: number)
  if !begun && get(g:, 'lsp_server_autostart', true) && documents.Wanted(buffer)
    Start()
  endif
  documents.Open(buffer)
enddef

export def Start()
  if &encoding != 'utf-8'
    messages.Show(1, "codestral-lsp needs :set encoding=utf-8.")
    return
  endif
  begun = true
  client.On('workspace/applyEdit', (params, Reply) => edits.Apply(params.edit, get(params, 'label', ''), Reply))
  client.On('workspace/workspaceFolders', (_, Reply) => Reply([Folder()]))
  client.On('client/registerCapability', (_, Reply) => Reply(null))
  client.On('client/unregisterCapability', (_, Reply) => Reply(null))
  client.On('window/workDoneProgress/create', (_, Reply) => Reply(null))
  client.On('window/showMessage', (params, _) => messages.Show(params.type, params.message))
  client.On('window/logMessage', (params, _) => client.Note(params.message))
  client.On('window/showMessageRequest', messages.Ask)
  client.On('window/showDocument', answers.ShowDocument)
  client.On('$/progress', (params, _) => status.Progress(params))
  client.On('$/lsp_server/status', (params, _) => Told(params))
  client.On('$/lsp_server/partial', (params, _) => answers.Grow(params))
  client.Start(Parameters, Begun, Ended)
enddef

export def Stop()
  begun = false
  client.Stop()
  documents.Forget()
enddef

export def Restart()
  Stop()
  Start()
enddef

def Told(params: dict<any>)
  if status.Update(params)
    ghost.AskAgain()
  endif
enddef

# Tell the server that g:lsp_server has changed.
export def Configure()
  client.Notify('workspace/didChangeConfiguration', {settings: {lsp_server: Settings()}})
enddef

def Settings(): dict<any>
  return get(g:, 'lsp_server', {})
enddef

def Begun()
  documents.Forget()
  for buffer in getbufinfo({bufloaded: 1})
    documents.Open(buffer.bufnr)
  endfor
  # What was typed before the server was there.
  if &modified
    ghost.Ask(2)
  endif
enddef

def Ended(why: string)
  documents.Forget()
  ghost.Dismiss()
  actions.Forget()
  status.Gone()
  if !empty(why)
    messages.Show(1, why)
  endif
enddef

def Folder(): dict<string>
  const marker = finddir('.git', expand('%:p:h') .. ';')
  const root = empty(marker) ? getcwd() : fnamemodify(marker, ':p:h:h')
  return {uri: uri.FromPath(root), name: fnamemodify(root, ':t')}
enddef

def Parameters(): dict<any>
  return {
    processId: getpid(),
    clientInfo: {name: 'Vim', version: $'{v:versionlong / 1000000}.{v:versionlong / 10000 % 100}.{v:versionlong % 10000}'},
    rootUri: Folder().uri,
    workspaceFolders: [Folder()],
    initializationOptions: Settings(),
    capabilities: {
      general: {positionEncodings: ['utf-8', 'utf-16']},
      textDocument: {
        synchronization: {didSave: true},
        inlineCompletion: {dynamicRegistration: false},
        codeAction: {
          codeActionLiteralSupport: {codeActionKind: {valueSet: ['', 'quickfix', 'refactor', 'refactor.rewrite', 'source']}},
          dataSupport: true,
          resolveSupport: {properties: ['edit']},
          honorsChangeAnnotations: true,
        },
      },
      workspace: {
        applyEdit: true,
        # Not asked for: what is sent along counts at once, before the next key.
        configuration: false,
        didChangeConfiguration: {dynamicRegistration: false},
        workspaceFolders: true,
        workspaceEdit: {documentChanges: true, resourceOperations: ['create'], changeAnnotationSupport: {}},
      },
      window: {workDoneProgress: true, showMessage: {messageActionItem: {}}, showDocument: {support: true}},
      experimental: {lspServerStatus: true, lspServerPartial: true},
    },
  }
enddef
