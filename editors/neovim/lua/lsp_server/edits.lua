--- Edits that the server asks for (workspace/applyEdit): shown first where that is wanted, one undo step,
--- and an honest answer.
---
--- Neovim's own handler answers that it applied what it dropped as outdated, and shows nothing first. Owns when
--- an edit may be applied. Must not know what it is for.

local M = {}

---@class lsp_server.FileEdit
---@field uri string
---@field version? integer nil for a file that is not open
---@field creates boolean
---@field edits lsp.TextEdit[]

--- Return the files of an edit in its order; nil if there is something else in it.
---@param edit lsp.WorkspaceEdit
---@return lsp_server.FileEdit[]?
function M.files(edit)
  ---@type lsp_server.FileEdit[]
  local files, created = {}, {}
  for uri, edits in pairs(edit.changes or {}) do
    files[#files + 1] = { uri = uri, creates = false, edits = edits }
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.kind == "create" then
      created[change.uri] = true
    elseif change.kind then
      return nil
    else
      local uri = change.textDocument.uri
      files[#files + 1] =
        { uri = uri, version = change.textDocument.version, creates = created[uri] or false, edits = change.edits }
    end
  end
  return files
end

--- Return what an edit is called that wants to be shown first; nil for others.
---@param edit lsp.WorkspaceEdit
---@return string?
local function question(edit)
  for _, annotation in pairs(edit.changeAnnotations or {}) do
    if annotation.needsConfirmation then
      return annotation.label
    end
  end
end

--- Take out what says that the edits are to be confirmed.
---@param file lsp_server.FileEdit
local function strip(file)
  for _, edit in ipairs(file.edits) do
    edit.annotationId = nil
  end
end

--- Load a buffer without a question; return why that is not possible.
---@param bufnr integer
---@return string?
local function load(bufnr)
  if vim.api.nvim_buf_is_loaded(bufnr) then
    return nil
  end
  local ok, problem = pcall(vim.fn.bufload, bufnr)
  -- bufload() asks nothing about a swap file that is there: it takes the next free name for its own.
  local swap = ok and vim.fn.swapname(bufnr) or ""
  if swap ~= "" and not vim.endswith(swap, ".swp") then
    vim.api.nvim_buf_delete(bufnr, { force = true })
    return "the file has a swap file: another Vim may be editing it"
  end
  return not ok and tostring(problem) or nil
end

--- Return why an edit of a file cannot be made.
---@param file lsp_server.FileEdit
---@return string?
local function obstacle(file)
  local path = vim.uri_to_fname(file.uri)
  if file.creates then
    return vim.uv.fs_stat(path) and ("%s exists already"):format(path) or nil
  end
  local bufnr = vim.uri_to_bufnr(file.uri)
  local was_loaded = vim.api.nvim_buf_is_loaded(bufnr)
  local problem = load(bufnr)
  if problem then
    return problem
  end
  if file.version and file.version ~= vim.lsp.util.buf_versions[bufnr] then
    return "the text has changed"
  end
  if not file.version and was_loaded and vim.bo[bufnr].modified then
    return "the file has unsaved changes that the server does not see"
  end
  if not vim.bo[bufnr].modifiable then
    return "the buffer is not modifiable"
  end
end

--- Let the next change of a buffer be an undo step of its own.
---@param bufnr integer
local function close_undo_step(bufnr)
  vim.api.nvim_buf_call(bufnr, function()
    vim.cmd("let &l:undolevels = &l:undolevels")
  end)
end

--- Apply an edit, all of it or nothing; return why not.
---@param edit lsp.WorkspaceEdit
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return string?
local function apply(edit, encoding)
  local files = M.files(edit)
  if not files then
    return "the edit renames or deletes files"
  end
  for _, file in ipairs(files) do
    local problem = obstacle(file)
    if problem then
      return problem
    end
  end
  local chat = require("lsp_server.chat")
  local bufnr = #files == 1 and not files[1].creates and vim.uri_to_bufnr(files[1].uri) or nil
  local function make()
    vim.lsp.util.apply_workspace_edit(edit, encoding)
  end
  local ok, problem
  if bufnr and chat.is_answering(bufnr) then
    ok, problem = pcall(chat.write, bufnr, make)
  else
    for _, file in ipairs(files) do
      if not file.creates then
        close_undo_step(vim.uri_to_bufnr(file.uri))
      end
    end
    ok, problem = pcall(make)
  end
  return not ok and tostring(problem) or nil
end

--- Answer workspace/applyEdit. Yields while the user looks at the edit.
---@param _ any
---@param params lsp.ApplyWorkspaceEditParams
---@param ctx lsp.HandlerContext
---@return lsp.ApplyWorkspaceEditResult
function M.on_apply(_, params, ctx)
  local client = assert(vim.lsp.get_client_by_id(ctx.client_id))
  local edit, encoding = params.edit, client.offset_encoding
  local files = M.files(edit)
  local label = question(edit)
  if files and label then
    -- Neovim 0.12 would ask a second time.
    vim.iter(files):each(strip)
    if not require("lsp_server.preview").ask(files, encoding, label) then
      return { applied = false }
    end
  end
  local problem = apply(edit, encoding)
  return { applied = problem == nil, failureReason = problem }
end

return M
