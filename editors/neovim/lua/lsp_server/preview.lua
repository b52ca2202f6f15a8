--- An edit shown in a floating window before it is applied: changed lines with what is around them.
---
--- Owns the question and its keys. Must not know how edits are applied. Edits that come while one is looked at
--- wait for their turn. A window that comes while the user types takes no keys before normal mode.

local changes = require("lsp_server.changes")

local M = {}

local namespace = vim.api.nvim_create_namespace("lsp_server.preview")
local LOOKS = {
  added = { sign_text = "+", sign_hl_group = "Added", line_hl_group = "LspServerAdded" },
  -- Over the colours of the code: colour schemes may show what is removed by the colour of the text alone.
  removed = {
    sign_text = "-",
    sign_hl_group = "Removed",
    line_hl_group = "LspServerRemoved",
    hl_group = "LspServerRemoved",
    priority = 200,
  },
}
local WIDEST, SHARE = 100, 0.8 -- columns that are good to read; of the screen, so that the code stays in sight

---@class lsp_server.Preview
---@field files lsp_server.FileEdit[]
---@field encoding "utf-8"|"utf-16"|"utf-32"
---@field title string
---@field answer fun(yes: boolean)

---@type lsp_server.Preview[]
local waiting = {}
---@type integer?
local window

--- Return the buffer that shows the files of an edit, and how wide and high it is.
---@param preview lsp_server.Preview
---@return integer bufnr
---@return string heading
local function filled(preview)
  local bufnr = vim.api.nvim_create_buf(false, true)
  local lines, marks, heading = {}, {}, ""
  for index, file in ipairs(preview.files) do
    local name = vim.fn.fnamemodify(vim.uri_to_fname(file.uri), ":~:.") .. (file.creates and " (new file)" or "")
    local rows = changes.rows(file, preview.encoding)
    for at, row in ipairs(rows) do
      local first = at == 1 and ("%s:%d"):format(name, row.line) or nil
      if first and index == 1 then
        heading = first
      elseif first or row.gap then
        marks[#marks + 1] =
          { #lines - 1, { virt_lines = { { { "─── " .. (first or ("%d"):format(row.line)), "NonText" } } } } }
      end
      lines[#lines + 1] = row.text
      if row.kind ~= "same" then
        marks[#marks + 1] = { #lines - 1, LOOKS[row.kind] }
      end
    end
  end
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  for _, mark in ipairs(marks) do
    local look = mark[2]
    if look.hl_group then
      look = vim.tbl_extend("error", look, { end_row = mark[1] + 1, strict = false })
    end
    vim.api.nvim_buf_set_extmark(bufnr, namespace, mark[1], 0, look)
  end
  vim.bo[bufnr].modifiable, vim.bo[bufnr].bufhidden = false, "wipe"
  return bufnr, heading
end

--- Colour the code by its language, without the plugins and servers that a filetype would bring.
---@param bufnr integer
---@param uri string
local function colour(bufnr, uri)
  local filetype = vim.filetype.match({ filename = vim.uri_to_fname(uri) }) or ""
  local language = vim.treesitter.language.get_lang(filetype)
  if not (language and pcall(vim.treesitter.start, bufnr, language)) then
    vim.bo[bufnr].syntax = filetype
  end
end

---@param bufnr integer
---@param title string
---@param heading string
---@return vim.api.keyset.win_config
local function geometry(bufnr, title, heading)
  -- Neovim writes both to the terminal as they are, control characters included.
  title = vim.fn.strtrans(title)
  local footer = (" y apply · q discard · %s "):format(vim.fn.strtrans(heading))
  local width = math.max(vim.fn.strdisplaywidth(title) + 2, vim.fn.strdisplaywidth(footer))
  for _, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 3) -- the signs are two columns wide
  end
  width = math.max(20, math.min(width, WIDEST, vim.o.columns - 4))
  local highest = math.max(3, math.floor(vim.o.lines * SHARE) - 2)
  local height = math.min(vim.api.nvim_buf_line_count(bufnr) + 2, highest)
  return {
    relative = "editor",
    width = width,
    height = height,
    row = math.max(0, math.floor((vim.o.lines - height - 2) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width - 2) / 2)),
    style = "minimal",
    border = "rounded",
    title = (" %s "):format(title),
    footer = footer,
  }
end

--- Set the height to what the lines take, wrapped and with those between them.
---@param win integer
local function fit(win)
  local config = vim.api.nvim_win_get_config(win)
  local wanted = vim.api.nvim_win_text_height(win, {}).all
  if wanted < config.height then
    vim.api.nvim_win_set_config(win, { height = math.max(1, wanted) })
  end
end

---@type fun()
local show_next

---@param yes boolean
local function answer(yes)
  local preview = table.remove(waiting, 1)
  local win = window
  window = nil
  if win and vim.api.nvim_win_is_valid(win) then
    vim.api.nvim_win_close(win, true)
  end
  if preview then
    preview.answer(yes)
  end
  vim.schedule(show_next)
end

---@param bufnr integer
local function set_keys(bufnr)
  local function map(keys, yes, desc)
    for _, key in ipairs(keys) do
      vim.keymap.set("n", key, function()
        answer(yes)
      end, { buffer = bufnr, nowait = true, desc = desc })
    end
  end
  map({ "y", "<CR>" }, true, "Apply the edit")
  map({ "q", "n", "<Esc>" }, false, "Discard the edit")
end

--- Give a window the keys: at once in normal mode, else when the user returns to it.
---@param win integer
local function focus(win)
  if vim.api.nvim_get_mode().mode == "n" then
    vim.api.nvim_set_current_win(win)
    return
  end
  vim.api.nvim_create_autocmd("ModeChanged", {
    pattern = "*:n",
    once = true,
    callback = vim.schedule_wrap(function()
      if vim.api.nvim_win_is_valid(win) and vim.api.nvim_get_mode().mode == "n" then
        vim.api.nvim_set_current_win(win)
      end
    end),
  })
end

function show_next()
  local preview = waiting[1]
  if not preview or window then
    return
  end
  local bufnr, heading = filled(preview)
  colour(bufnr, preview.files[1].uri)
  local win = vim.api.nvim_open_win(bufnr, false, geometry(bufnr, preview.title, heading))
  window = win
  vim.wo[win].wrap, vim.wo[win].signcolumn, vim.wo[win].breakindent = true, "yes", true
  fit(win)
  set_keys(bufnr)
  vim.api.nvim_create_autocmd("WinClosed", {
    pattern = tostring(win),
    once = true,
    callback = function()
      if window == win then
        window = nil
        vim.schedule(function()
          answer(false)
        end)
      end
    end,
  })
  vim.api.nvim_exec_autocmds("User", { pattern = "LspServerPreview", modeline = false, data = { win = win } })
  focus(win)
end

--- Show an edit and return whether the user wants it. Has to be called in a coroutine, which waits.
---@param files lsp_server.FileEdit[]
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@param title string
---@return boolean
function M.ask(files, encoding, title)
  local asking = assert(coroutine.running())
  waiting[#waiting + 1] = {
    files = files,
    encoding = encoding,
    title = title:gsub("%s+", " "),
    answer = vim.schedule_wrap(function(yes)
      coroutine.resume(asking, yes)
    end),
  }
  vim.schedule(show_next)
  return coroutine.yield()
end

--- Apply or discard the edit that is shown; false without one.
---@param yes boolean
---@return boolean
function M.decide(yes)
  if not window then
    return false
  end
  answer(yes)
  return true
end

return M
