vim9script
# An edit that waits for a yes, in a popup window.

# Show changes of files ({path, create, lines of a diff}); the callback gets whether to apply them.
export def Ask(title: string, changes: list<dict<any>>, Answered: func)
  var lines: list<string> = []
  for change in changes
    lines += change.create ? [$'A new file: {change.path}'] : change.lines
  endfor
  const window = popup_create(lines, {
    title: $' {title}: y applies, n does not ', border: [], padding: [0, 1, 0, 1], mapping: false, scrollbar: true,
    minwidth: 40, maxwidth: &columns - 6, maxheight: &lines - 8, pos: 'center', zindex: 200,
    filter: Key, callback: (_, result) => Answered(result == 1),
  })
  win_execute(window, 'setlocal filetype=diff nowrap')
enddef

def Key(window: number, key: string): bool
  const moves = {j: "\<C-e>", k: "\<C-y>", "\<Down>": "\<C-e>", "\<Up>": "\<C-y>", "\<C-d>": "\<C-d>", "\<C-u>": "\<C-u>",
    "\<C-f>": "\<C-f>", "\<C-b>": "\<C-b>", "\<PageDown>": "\<C-f>", "\<PageUp>": "\<C-b>"}
  if key ==? 'y' || key == "\<CR>"
    popup_close(window, 1)
  elseif key ==? 'n' || key == 'q' || key == "\<Esc>"
    popup_close(window, 0)
  elseif has_key(moves, key)
    win_execute(window, $'normal! {moves[key]}')
  elseif key == "\<CursorHold>"
    return false
  endif
  # Other keys would change what the edit is for.
  return true
enddef
