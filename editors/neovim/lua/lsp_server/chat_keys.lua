--- The keys of a chat's buffer. Must not know what they do.

local M = {}

---@type {modes: string[], key: string, plug: string}[]
M.DEFAULTS = {
  { modes = { "n" }, key = "<CR>", plug = "<Plug>(lsp-server-chat-send)" },
  { modes = { "n", "i" }, key = "<C-s>", plug = "<Plug>(lsp-server-chat-send)" },
  { modes = { "n" }, key = "<C-c>", plug = "<Plug>(lsp-server-chat-stop)" },
  { modes = { "n" }, key = "<LocalLeader>a", plug = "<Plug>(lsp-server-chat-apply)" },
  { modes = { "n" }, key = "<LocalLeader>r", plug = "<Plug>(lsp-server-chat-regenerate)" },
}

--- Tell whether a key is the user's own in a mode, or a <Plug> map has one already.
---@param mode string
---@param default {key: string, plug: string}
---@return boolean
local function is_taken(mode, default)
  local found = vim.fn.maparg(default.key, mode, false, true)
  -- Neovim's own mappings are Lua functions that are described as its own.
  local own = vim.startswith(found.desc or "", "vim.")
  return (not vim.tbl_isempty(found) and not own) or vim.fn.hasmapto(default.plug, mode) == 1
end

--- Set the keys in a buffer, if it is a chat and has not got them.
---@param buffer integer
function M.begin(buffer)
  if vim.b[buffer].lsp_server_chat or not require("lsp_server.chat").is_chat(buffer) then
    return
  end
  vim.b[buffer].lsp_server_chat = true
  pcall(vim.treesitter.start, buffer, "markdown") -- colours the code of answers, too
  if require("lsp_server.options").get("keys") == false then
    return
  end
  vim.api.nvim_buf_call(buffer, function()
    local free = {}
    for _, default in ipairs(M.DEFAULTS) do
      for _, mode in ipairs(default.modes) do
        if not is_taken(mode, default) then
          free[#free + 1] = { mode, default.key, default.plug }
        end
      end
    end
    for _, it in ipairs(free) do
      vim.keymap.set(it[1], it[2], it[3], { buffer = buffer, remap = true })
    end
  end)
end

return M
