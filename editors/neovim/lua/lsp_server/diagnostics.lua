--- What other tools report, told to the server with every request for code actions: *Fix* is made from it.
---
--- Neovim by itself tells a server only of the diagnostics that came from that server.

local intercept = require("lsp_server.intercept")

local M = {}

---@param buffer integer
---@param row integer from 0
---@param column integer bytes
---@param encoding string
---@return lsp.Position
local function position(buffer, row, column, encoding)
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ""
  return { line = row, character = vim.str_utfindex(line, encoding, math.min(column, #line), false) }
end

---@param found vim.Diagnostic
---@param encoding string
---@return lsp.Diagnostic
local function to_lsp(found, encoding)
  return {
    range = {
      start = position(found.bufnr, found.lnum, found.col, encoding),
      ["end"] = position(found.bufnr, found.end_lnum or found.lnum, found.end_col or found.col, encoding),
    },
    severity = found.severity,
    message = found.message,
    source = found.source,
    code = found.code,
  }
end

---@param buffer integer
---@param range lsp.Range
---@param encoding string
---@return lsp.Diagnostic[]
local function within(buffer, range, encoding)
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(buffer)) do
    if it.lnum <= range["end"].line and (it.end_lnum or it.lnum) >= range.start.line then
      table.insert(found, to_lsp(it, encoding))
    end
  end
  return found
end

--- Let a client send them, whichever menu asks.
---@param client vim.lsp.Client
function M.add_to_requests(client)
  intercept.add(client, "textDocument/codeAction", function(params, handler)
    if params.range then
      local buffer = vim.uri_to_bufnr(params.textDocument.uri)
      local found = within(buffer, params.range, client.offset_encoding)
      params.context = vim.tbl_extend("force", params.context or {}, { diagnostics = found })
    end
    return handler
  end)
end

return M
