--- Which program is the server, when the configuration names none.
---
--- Called whenever Neovim resolves the configuration: looks at a few paths, starts nothing.

local M = {}

local NAME = "lsp_server"

--- Return where the environment has it that the README makes, in the checkout that this plugin is a part of.
---@return string
function M.in_checkout()
  local here = debug.getinfo(1, "S").source:sub(2)
  -- The plugin may be linked to from a package folder.
  local plugin = vim.fs.dirname(vim.uv.fs_realpath(here) or here) .. "/../.."
  local environment = vim.fs.normalize(plugin .. "/../../.venv")
  local windows = vim.fn.has("win32") == 1
  return environment .. (windows and "/Scripts/lsp_server.exe" or "/bin/lsp_server")
end

--- Return the name of the program if it is on PATH, else its path in the checkout if it is there, else its name.
---@return string
function M.find()
  if vim.fn.executable(NAME) == 0 then
    local path = M.in_checkout()
    if vim.fn.executable(path) == 1 then
      return path
    end
  end
  return NAME
end

return M
