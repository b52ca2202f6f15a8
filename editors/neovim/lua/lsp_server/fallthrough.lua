--- What a key does in Insert mode without this plugin: the user's mapping, Neovim's own one, or the key itself.

local M = {}

--- How the descriptions of this plugin's mappings begin.
M.MARK = "codestral-lsp: "

---@alias lsp_server.Mapping vim.api.keyset.get_keymap

---@param key string
---@return string
local function raw(key)
  return vim.api.nvim_replace_termcodes(key, true, true, true)
end

---@param mappings lsp_server.Mapping[]
---@param key string
---@return lsp_server.Mapping?
local function find(mappings, key)
  local wanted = raw(key)
  for _, mapping in ipairs(mappings) do
    if (mapping.lhsraw == wanted or mapping.lhsrawalt == wanted) and not vim.startswith(mapping.desc or "", M.MARK) then
      return mapping
    end
  end
end

--- Return the mapping of a key for one buffer alone.
---@param buffer integer
---@param key string
---@return lsp_server.Mapping?
function M.of_buffer(buffer, key)
  return find(vim.api.nvim_buf_get_keymap(buffer, "i"), key)
end

--- Return the mapping of a key for all buffers, if the user made it: Neovim's own ones are described by it.
---@param key string
---@return lsp_server.Mapping?
function M.of_user(key)
  local mapping = find(vim.api.nvim_get_keymap("i"), key)
  local builtin = mapping and mapping.desc and mapping.desc:find("vim.snippet.jump", 1, true)
  return not builtin and mapping or nil
end

---@param keys string
---@param mapping lsp_server.Mapping?
local function feed(keys, mapping)
  local remap = mapping and mapping.noremap == 0
  -- A mapping whose right side begins with its key means the key itself there.
  if remap and mapping and vim.startswith(keys, mapping.lhsraw) then
    remap = false
  end
  vim.api.nvim_feedkeys(keys, remap and "im" or "in", false)
end

---@param mapping lsp_server.Mapping
---@return string? keys to be typed
local function result_of(mapping)
  local result
  if mapping.callback then
    result = mapping.callback()
    if mapping.expr == 0 then
      return nil
    end
  else
    local right = (mapping.rhs or ""):gsub("<[sS][iI][dD]>", ("<SNR>%d_"):format(mapping.sid))
    if mapping.expr == 0 then
      return raw(right)
    end
    result = vim.api.nvim_eval(right)
  end
  if type(result) ~= "string" then
    return nil
  end
  return mapping.replace_keycodes == 1 and raw(result) or result
end

--- Do what the key does.
---@param key string
---@param of_buffer? lsp_server.Mapping what the buffer had for it before this plugin
function M.press(key, of_buffer)
  local mapping = of_buffer or find(vim.api.nvim_get_keymap("i"), key)
  if not mapping then
    return feed(raw(key))
  end
  local keys = result_of(mapping)
  if keys then
    feed(keys, mapping)
  end
end

return M
