vim9script
# Paths and their uris.

export def FromPath(path: string): string
  const slashed = has('win32') ? '/' .. substitute(path, '\\', '/', 'g') : path
  return 'file://' .. substitute(slashed, '[^A-Za-z0-9/._~-]', (found) => Escaped(found[0]), 'g')
enddef

# The path of a file's uri; empty for other uris.
export def ToPath(uri: string): string
  if uri !~ '^file://'
    return ''
  endif
  const escaped = substitute(uri, '^file://[^/]*', '', '')
  # "\xNN" is that byte, whatever 'encoding' is.
  const path = substitute(escaped, '%\(\x\x\)', (found) => eval($'"\x{found[1]}"'), 'g')
  return has('win32') ? substitute(path, '^/\(\a:\)', '\1', '') : path
enddef

def Escaped(character: string): string
  return range(strlen(character))->mapnew((_, at) => printf('%%%02X', char2nr(strpart(character, at, 1))))->join('')
enddef
