vim9script
# What the server tells and asks the user: popups that need no key, and menus.

import autoload 'lsp_server/client.vim'

const LASTS_MS = 10000
# Kinds of MessageType: errors and warnings stay long enough to be read.
const HIGHLIGHTS = {'1': 'ErrorMsg', '2': 'WarningMsg'}

var shown: list<string> = []

# All messages that have popped up.
export def Shown(): list<string>
  return shown
enddef

export def Show(type: number, message: string)
  client.Note(message)
  add(shown, message)
  popup_notification(split(message, "\n"), {
    title: ' codestral-lsp ', time: LASTS_MS, maxwidth: min([80, &columns - 4]), maxheight: &lines / 2,
    highlight: get(HIGHLIGHTS, type, 'Normal'), border: [], wrap: true,
  })
enddef

# Let the user choose: the callback gets the index, -1 without a choice.
export def Choose(title: string, entries: list<string>, Chosen: func)
  popup_menu(entries, {
    title: $' {split(title, "\n")[0]} ', maxwidth: &columns - 6, maxheight: &lines - 6, scrollbar: true,
    callback: (_, index) => Chosen(index > 0 ? index - 1 : -1),
  })
enddef

export def Ask(params: any, Reply: func)
  const choices: list<dict<any>> = get(params, 'actions', [])
  client.Note(params.message)
  Choose(params.message, mapnew(choices, (_, choice) => choice.title), (index) => {
    Reply(index < 0 ? null : choices[index])
  })
enddef
