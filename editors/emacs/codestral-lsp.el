;;; codestral-lsp.el --- Code completion from your own model  -*- lexical-binding: t; -*-

;; Author: The codestral-lsp developers
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: languages, convenience
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The language server codestral-lsp in Emacs.  With lsp-mode 10 or later it shows completions as
;; ghost text, beside the servers that you have:
;;
;;   (require 'codestral-lsp)
;;   (add-hook 'prog-mode-hook #'lsp-deferred)
;;
;; With Eglot, which has one server for each buffer and no ghost text, there are code actions and
;; the commands below: see `codestral-lsp-eglot'.
;;
;; This file knows how Emacs talks to the server.  What there is to say it learns from the server.

;;; Code:

(require 'json)
(require 'subr-x)

(defvar eglot-server-programs)
(defvar lsp--buffer-deferred)
(defvar lsp--buffer-workspaces)
(defvar lsp-buffer-uri)
(defvar lsp-inline-completion--current)
(defvar lsp-inline-completion--items)
(defvar lsp-inline-completion--start-point)
(defvar lsp-inline-completion-active-map)
(defvar lsp-inline-completion-idle-delay)
(declare-function eglot-current-server "ext:eglot")
(declare-function eglot--TextDocumentIdentifier "ext:eglot")
(declare-function jsonrpc-async-request "jsonrpc")
(declare-function jsonrpc-notify "jsonrpc")
(declare-function lsp--buffer-uri "ext:lsp-mode")
(declare-function lsp--cur-position "ext:lsp-mode")
(declare-function lsp--open-in-workspace "ext:lsp-mode")
(declare-function lsp--path-to-uri "ext:lsp-mode")
(declare-function lsp--uri-to-path "ext:lsp-mode")
(declare-function lsp--window-show-document "ext:lsp-mode")
(declare-function lsp-inline-completion--active-p "ext:lsp-inline-completion")
(declare-function lsp-inline-completion--clear-overlay "ext:lsp-inline-completion")
(declare-function lsp-inline-completion-accept "ext:lsp-inline-completion")
(declare-function lsp-inline-completion-show-overlay "ext:lsp-inline-completion")
(declare-function lsp-mode "ext:lsp-mode")
(declare-function lsp-notify "ext:lsp-mode")
(declare-function lsp-register-client "ext:lsp-mode")
(declare-function lsp-request-async "ext:lsp-mode")
(declare-function lsp-stdio-connection "ext:lsp-mode")
(declare-function lsp-workspaces "ext:lsp-mode")
(declare-function make-lsp-client "ext:lsp-mode")
(declare-function markdown-view-mode "ext:markdown-mode")

(defgroup codestral-lsp nil
  "Code completion from your own model."
  :group 'tools
  :prefix "codestral-lsp-")

(defcustom codestral-lsp-command '("lsp_server" "--stdio")
  "Program and arguments of the server."
  :type '(repeat string))

(defcustom codestral-lsp-settings nil
  "Settings of the server: an alist of alists, as in its configuration file.
For example ((completion . ((max_tokens . 64)))); write :json-false for
false.  Use `codestral-lsp-set' to change one while the server runs."
  :type 'sexp)

(defcustom codestral-lsp-word-regexp "[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)"
  "What `codestral-lsp-accept-word' takes of ghost text."
  :type 'regexp)

(defvar codestral-lsp-mode-line nil
  "What the mode line says about the server.
Put (\"\" codestral-lsp-mode-line) into `mode-line-misc-info'.")
(put 'codestral-lsp-mode-line 'risky-local-variable t)

(defvar codestral-lsp-status nil
  "The last status that the server has told, as a hash table.")

(defvar codestral-lsp--grown nil
  "The run whose answer has been shown while it was written.")

(defvar codestral-lsp--whole nil
  "Whether that answer has been shown as a whole, too.")

(defconst codestral-lsp--words '("explain" "review" "convert")
  "Actions that are answered in words, and shown while they are written.")

;;;; Talking to the server, through whichever client serves the buffer

(defun codestral-lsp--object (&rest pairs)
  "Return a hash table of PAIRS: keys are strings."
  (let ((table (make-hash-table :test #'equal)))
    (while pairs
      (puthash (pop pairs) (pop pairs) table))
    table))

(defun codestral-lsp--get (object key)
  "Return what OBJECT, a hash table or a property list, has under KEY, a string."
  (if (hash-table-p object)
      (gethash key object)
    (plist-get object (intern (concat ":" key)))))

(defun codestral-lsp--lsp-mode-p ()
  "Tell whether lsp-mode serves the buffer."
  (and (fboundp 'lsp-workspaces) (lsp-workspaces) t))

(defun codestral-lsp--call (command arguments &optional then)
  "Let the server run COMMAND with ARGUMENTS, a list; call THEN with the result."
  (let ((then (or then #'ignore))
        (failed (lambda (failure) (message "codestral-lsp: %s" (codestral-lsp--get failure "message")))))
    (cond
     ((codestral-lsp--lsp-mode-p)
      (lsp-request-async "workspace/executeCommand"
                         (list :command command :arguments (vconcat arguments))
                         then :error-handler failed :mode 'detached))
     ((and (fboundp 'eglot-current-server) (eglot-current-server))
      ;; Without a timeout of its own a request is given up after ten seconds.
      (jsonrpc-async-request (eglot-current-server) :workspace/executeCommand
                             (list :command command :arguments (vconcat arguments))
                             :success-fn then :error-fn failed :timeout 600))
     (t (user-error "The language server does not serve this buffer: M-x lsp, or M-x eglot")))))

(defun codestral-lsp--uri ()
  "Return the uri of the buffer."
  (if (codestral-lsp--lsp-mode-p)
      (lsp--path-to-uri (buffer-file-name))
    (plist-get (eglot--TextDocumentIdentifier) :uri)))

(defun codestral-lsp--position (point)
  "Return the start of the line of POINT as a position.
Line starts are the same in every encoding."
  (save-excursion
    (goto-char point)
    (list :line (1- (line-number-at-pos nil t)) :character 0)))

(defun codestral-lsp--range ()
  "Return the lines of the region, or else the line of point."
  (if (use-region-p)
      (list :start (codestral-lsp--position (region-beginning))
            :end (codestral-lsp--position (save-excursion
                                            (goto-char (region-end))
                                            (if (bolp) (point) (line-beginning-position 2)))))
    (save-excursion
      (back-to-indentation)
      (let ((here (codestral-lsp--indented)))
        (list :start here :end here)))))

(defun codestral-lsp--indented ()
  "Return point, which follows nothing but indentation, as a position."
  (list :line (1- (line-number-at-pos nil t)) :character (- (point) (line-beginning-position))))

;;;; Commands

;;;###autoload
(defun codestral-lsp-explain ()
  "Explain the function or class around point, or the region."
  (interactive)
  (codestral-lsp--call
   "lsp_server.runAction"
   (list (list :action "explain" :uri (codestral-lsp--uri) :range (codestral-lsp--range)))
   (lambda (result)
     ;; lsp-mode shows the server's file; Eglot may not.
     (when-let ((markdown (and (not (codestral-lsp--lsp-mode-p)) (codestral-lsp--get result "markdown"))))
       (codestral-lsp--show-answer markdown)))))

;;;###autoload
(defun codestral-lsp-chat ()
  "Open a chat about the region, or about the line of point."
  (interactive)
  (codestral-lsp--call "lsp_server.openChat"
                       (list (list :uri (codestral-lsp--uri) :range (codestral-lsp--range)))))

(defun codestral-lsp-chat-send ()
  "Send the last question of this chat; the answer is written into it."
  (interactive)
  (codestral-lsp--chat "send"))

(defun codestral-lsp-chat-regenerate ()
  "Have the last answer of this chat written again."
  (interactive)
  (codestral-lsp--chat "regenerate"))

(defun codestral-lsp-chat-stop ()
  "Stop the answer that is being written into this chat."
  (interactive)
  (codestral-lsp--chat "stop"))

(defun codestral-lsp-chat-apply ()
  "Change the file that the code block at point is for."
  (interactive)
  (codestral-lsp--call "lsp_server.chat.apply"
                       (list (list :uri (codestral-lsp--uri) :position (codestral-lsp--position (point))))))

(defun codestral-lsp--chat (command)
  "Run COMMAND of the chat in this buffer."
  (codestral-lsp--call (concat "lsp_server.chat." command)
                       (list (list :uri (codestral-lsp--uri) :wait :json-false))))

(defun codestral-lsp-select-backend ()
  "Choose who answers, until the server ends."
  (interactive)
  (codestral-lsp--call "lsp_server.selectBackend" nil))

(defun codestral-lsp-pause ()
  "Pause completions, or go on with them."
  (interactive)
  (codestral-lsp--call "lsp_server.pause" nil))

(defun codestral-lsp-stats ()
  "Show what the server has done so far."
  (interactive)
  (codestral-lsp--call "lsp_server.stats" nil
                       (lambda (result) (codestral-lsp--show-answer (codestral-lsp--get result "markdown")))))

(defun codestral-lsp-set (option value)
  "Give OPTION of the server, such as completion.max_tokens, a VALUE at once."
  (interactive
   (let ((option (read-string "Option: " "completion.")))
     (list option (let ((json-false :json-false))
                    (json-read-from-string (read-string (format "%s (as JSON): " option)))))))
  (setq codestral-lsp-settings
        (codestral-lsp--with codestral-lsp-settings (mapcar #'intern (split-string option "\\.")) value))
  (let ((parameters (list :settings (list :lsp_server codestral-lsp-settings))))
    (cond
     ((codestral-lsp--lsp-mode-p) (lsp-notify "workspace/didChangeConfiguration" parameters))
     ((and (fboundp 'eglot-current-server) (eglot-current-server))
      (jsonrpc-notify (eglot-current-server) :workspace/didChangeConfiguration parameters)))))

(defun codestral-lsp--with (settings path value)
  "Return SETTINGS with VALUE at PATH, a list of symbols."
  (if (null path)
      value
    (cons (cons (car path) (codestral-lsp--with (alist-get (car path) settings) (cdr path) value))
          (assq-delete-all (car path) (copy-sequence settings)))))

;;;; Answers and status

(defun codestral-lsp--show-answer (markdown &optional again)
  "Show MARKDOWN in a window, which q closes; not if AGAIN, when it was closed."
  (with-current-buffer (get-buffer-create "*codestral-lsp*")
    (let ((inhibit-read-only t))
      (unless (string= markdown (buffer-string))
        (erase-buffer)
        (insert markdown)
        (goto-char (point-min))))
    (unless (derived-mode-p 'markdown-view-mode 'special-mode)
      (if (fboundp 'markdown-view-mode)
          (markdown-view-mode)
        (special-mode)))
    (setq-local buffer-read-only t)
    (visual-line-mode)
    (local-set-key "q" #'quit-window)
    (unless (or again (get-buffer-window nil t))
      (display-buffer (current-buffer)))))

(defun codestral-lsp--grow (_workspace parameters)
  "Show the answer as far as it is written, which PARAMETERS tell."
  (when (member (codestral-lsp--get parameters "action") codestral-lsp--words)
    (let ((token (codestral-lsp--get parameters "token")))
      (codestral-lsp--show-answer (codestral-lsp--get parameters "text") (equal token codestral-lsp--grown))
      (setq codestral-lsp--grown token
            codestral-lsp--whole nil))))

(defun codestral-lsp--finish (markdown)
  "Show MARKDOWN, an answer that is whole.
Who has closed it while it grew has read enough."
  (codestral-lsp--show-answer markdown (and codestral-lsp--grown (not codestral-lsp--whole)))
  (setq codestral-lsp--whole t))

(defun codestral-lsp--show-document (workspace parameters)
  "Show the document that PARAMETERS name.
An answer of the server is shown beside the code, others as usual;
chats are served by WORKSPACE, wherever they are."
  (let ((path (lsp--uri-to-path (codestral-lsp--get parameters "uri"))))
    (if (string-match-p "/codestral-lsp/answers/[^/]+\\.md\\'" path)
        (with-temp-buffer
          (insert-file-contents path)
          (codestral-lsp--finish (buffer-string))
          (codestral-lsp--object "success" t))
      (let ((shown (lsp--window-show-document parameters)))
        (when (string-match-p "/codestral-lsp/chats/[^/]+\\.md\\'" path)
          (codestral-lsp--serve (find-buffer-visiting path) workspace))
        (codestral-lsp--object "success" (or shown :json-false))))))

(defun codestral-lsp--serve (buffer workspace)
  "Let WORKSPACE serve BUFFER, whose file is in none of its folders."
  (when buffer
    (with-current-buffer buffer
      (unless lsp--buffer-workspaces
        (setq lsp--buffer-deferred nil)
        (lsp--open-in-workspace workspace)
        (setq lsp--buffer-workspaces (list workspace))
        (lsp-mode 1)
        (setq lsp-buffer-uri (lsp--buffer-uri))))))

(defun codestral-lsp--told-status (_workspace status)
  "Take STATUS for the mode line."
  (setq codestral-lsp-status status
        codestral-lsp-mode-line
        (format " [%s%s]" (codestral-lsp--get status "backend")
                (cond ((eq t (codestral-lsp--get status "paused")) " paused")
                      ((equal (codestral-lsp--get status "state") "ready") "")
                      (t (concat " " (codestral-lsp--get status "state"))))))
  (force-mode-line-update t))

;;;; lsp-mode

(defun codestral-lsp-accept-word ()
  "Take the first word of the ghost text, and keep the rest."
  (interactive)
  (unless (lsp-inline-completion--active-p)
    (user-error "There is no ghost text"))
  (let* ((item (elt lsp-inline-completion--items lsp-inline-completion--current))
         (text (codestral-lsp--get item "insertText"))
         (word (if (string-match (concat "\\`" codestral-lsp-word-regexp) text) (match-string 0 text) text))
         (rest (substring text (length word))))
    (lsp-inline-completion--clear-overlay)
    ;; While there is ghost text at the end of a line, point is before the last character.
    (goto-char lsp-inline-completion--start-point)
    (undo-boundary)
    (insert word)
    (unless (string-empty-p rest)
      (setq lsp-inline-completion--items (list (codestral-lsp--item rest))
            lsp-inline-completion--current 0
            lsp-inline-completion--start-point (point))
      (lsp-inline-completion-show-overlay))))

(defun codestral-lsp--item (text)
  "Return an inline completion of TEXT at point."
  (let ((here (lsp--cur-position)))
    (codestral-lsp--object "insertText" text "range" (codestral-lsp--object "start" here "end" here))))

;; Ghost text would be taken away before any other command.
(put 'codestral-lsp-accept-word 'lsp-inline-completion-keep t)

(defun codestral-lsp--bind-keys ()
  "Bind keys that a terminal can send, too; they count while there is ghost text."
  (define-key lsp-inline-completion-active-map (kbd "TAB") #'lsp-inline-completion-accept)
  (define-key lsp-inline-completion-active-map (kbd "<tab>") #'lsp-inline-completion-accept)
  (define-key lsp-inline-completion-active-map (kbd "C-<right>") #'codestral-lsp-accept-word)
  (define-key lsp-inline-completion-active-map (kbd "M-f") #'codestral-lsp-accept-word)
  ;; Escape is a prefix in a terminal, and these are for the text: there is one completion, not several.
  (define-key lsp-inline-completion-active-map (kbd "C-n") nil)
  (define-key lsp-inline-completion-active-map (kbd "C-p") nil)
  ;; Two seconds, if nobody has set it; the server itself knows how long to wait.
  (when (equal lsp-inline-completion-idle-delay 2)
    (setq lsp-inline-completion-idle-delay 0.1)))

(defun codestral-lsp--register ()
  "Let lsp-mode know the server."
  (lsp-register-client
   (make-lsp-client
    :server-id 'codestral-lsp
    :new-connection (lsp-stdio-connection (lambda () codestral-lsp-command))
    :activation-fn (lambda (file &rest _) (and file t))
    :add-on? t
    :priority -1
    :initialization-options (lambda () codestral-lsp-settings)
    :custom-capabilities '((experimental . ((lspServerStatus . t) (lspServerPartial . t))))
    :request-handlers
    (codestral-lsp--object
     "workspace/configuration"
     (lambda (_workspace parameters)
       (vconcat (mapcar (lambda (_) codestral-lsp-settings) (codestral-lsp--get parameters "items"))))
     "window/showDocument" #'codestral-lsp--show-document)
    :notification-handlers
    (codestral-lsp--object "$/lsp_server/status" #'codestral-lsp--told-status
                           "$/lsp_server/partial" #'codestral-lsp--grow))))

;;;###autoload
(with-eval-after-load 'lsp-mode
  (codestral-lsp--register))
(with-eval-after-load 'lsp-inline-completion
  (codestral-lsp--bind-keys))

;;;; Eglot

;;;###autoload
(defun codestral-lsp-eglot (&rest modes)
  "Let Eglot start the server for buffers in these major MODES.
It takes the place of the server that Eglot would start otherwise."
  (require 'eglot)
  (add-to-list 'eglot-server-programs
               (cons modes (append codestral-lsp-command (list :initializationOptions codestral-lsp-settings)))))

(provide 'codestral-lsp)
;;; codestral-lsp.el ends here
